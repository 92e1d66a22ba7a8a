# SPDX-License-Identifier: Apache-2.0
"""A meters file."""

import pathlib
import tempfile
import unittest
from collections.abc import Sequence

from distil import exceptions
from distil.telemetry import meters_file
from distil.telemetry.entry_parser import EntryParser
from distil.telemetry.meter_entry import MeterEntry
from distil.telemetry.meter_entry import ValueSource


def entry(parser: EntryParser) -> MeterEntry:
    return MeterEntry(**parser.common(["colour"]))


class MetersFileCase(unittest.TestCase):
    def setUp(self) -> None:
        self.path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()), "meters.yml")

    def load(self, text: str) -> Sequence[MeterEntry]:
        self.path.write_text(text, encoding="utf-8")
        return meters_file.load(str(self.path), entry, "label")

    def problems(self, text: str) -> list[str]:
        """Return the problems of a file, without its path."""
        with self.assertRaises(exceptions.ConfigurationError) as caught:
            self.load(text)
        for problem in caught.exception.problems:
            self.assertTrue(problem.startswith(str(self.path)), problem)
        return [problem.removeprefix(str(self.path)) for problem in caught.exception.problems]

    def metadata(self, text: str) -> ValueSource:
        """Return the source of a value that is written so."""
        return self.load(f"- {{meter: m, metadata: {{a: {text}}}}}")[0].metadata["a"]

    def problem(self, text: str, where: str = "metadata") -> str:
        """Return the only problem of a source, without its place."""
        written = (
            f"- {{meter: m, metadata: {{a: {text}}}}}" if where == "metadata" else f"- {{meter: m, volume: {text}}}"
        )
        (problem,) = self.problems(written)
        place, _, text = problem.partition(": entry 1 (m): ")
        self.assertEqual(":1", place)
        return text
