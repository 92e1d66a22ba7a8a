# SPDX-License-Identifier: Apache-2.0
"""Arguments of distil-sandbox."""

import argparse
import contextlib
import datetime
import io
import unittest

from distil.sandbox import __main__ as sandbox
from distil.sandbox import arguments


class ArgumentsTest(unittest.TestCase):
    def refused(self, *command: str) -> str:
        """What standard error says."""
        with contextlib.redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit) as caught:
            sandbox.main(command)
        self.assertEqual(2, caught.exception.code)
        return said.getvalue()

    def test_bad_numbers_are_refused_at_once(self) -> None:
        for command in ("demo", "serve"):
            for option in ("--projects", "--resources"):
                for value in ("0", "-1", "many", "1.5", "²", ""):
                    with self.subTest(f"{command} {option} {value}"):
                        said = self.refused(command, f"{option}={value}")
                        self.assertIn(f"argument {option}: '{value}' is not a whole number from 1 to ", said)

    def test_hours_are_limited_to_year(self) -> None:
        for value in ("0", "-3", "8785"):
            self.assertIn("is not a whole number from 1 to 8784", self.refused("demo", f"--hours={value}"))

    def test_ports_are_checked(self) -> None:
        self.assertIn("'65536' is not a whole number from 0 to 65535", self.refused("serve", "--port=65536"))

    def test_seconds_are_finite_and_not_negative(self) -> None:
        for value in ("-1", "nan", "inf", "soon"):
            self.assertIn(f"'{value}' is not a number of seconds", self.refused("serve", f"--token-lifetime={value}"))
            self.assertIn(f"'{value}' is not a number of seconds", self.refused("serve", f"--latency=image={value}"))

    def test_unknown_services_are_refused(self) -> None:
        self.assertIn("'rating' is not one of identity, metering,", self.refused("serve", "--latency=rating=1"))

    def test_bad_times_are_refused(self) -> None:
        self.assertIn("'today' is not an ISO 8601 time", self.refused("serve", "--start=today"))

    def test_missing_rules_files_are_refused(self) -> None:
        self.assertIn("/nowhere/meter_mappings.yml does not exist", self.refused("demo", "--etc=/nowhere"))

    def test_good_values_are_taken(self) -> None:
        self.assertEqual(8, arguments.whole_number(1, 8)("8"))
        self.assertEqual(0.5, arguments.seconds("0.5"))
        self.assertEqual(("image", 0.5), arguments.latency(["image"])("image=0.5"))
        self.assertEqual(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), arguments.moment("2026-01-01"))
        self.assertEqual(datetime.timedelta(0), arguments.moment("2026-01-01T13:00+13:00").utcoffset())
        with self.assertRaises(argparse.ArgumentTypeError):
            arguments.moment("0001-01-01T00:00+13:00")
