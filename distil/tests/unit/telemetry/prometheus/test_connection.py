# SPDX-License-Identifier: Apache-2.0
"""Which headers requests have."""

import os
import pathlib
import tempfile
import unittest

from keystoneauth1 import session as ks_session

from distil import exceptions
from distil.telemetry.prometheus.connection import Authentication
from distil.telemetry.prometheus.connection import basic
from distil.tests.support.prometheus_driver import entry
from distil.tests.support.prometheus_driver import make_driver


class AuthenticationTest(unittest.TestCase):
    def setUp(self) -> None:
        self.file = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()), "token")

    def headers(self, token_file: pathlib.Path | None = None) -> dict[str, str]:
        path = str(token_file) if token_file else None
        return Authentication("http://host", {"X-Scope-OrgID": "cloud"}, path).get_headers(ks_session.Session())

    def test_configured_headers_are_sent(self) -> None:
        self.assertEqual({"X-Scope-OrgID": "cloud"}, self.headers())

    def test_renewed_token_is_read(self) -> None:
        for token in ("first", "second"):
            self.file.write_text(f"{token}\n", encoding="utf-8")
            self.assertEqual(f"Bearer {token}", self.headers(self.file)["Authorization"])

    def test_file_without_token_raises(self) -> None:
        for content in (b"", b"\n", b"two words", b"two\nlines", "\u00e4".encode(), b"\xff"):
            self.file.write_bytes(content)
            with (
                self.subTest(content),
                self.assertRaisesRegex(exceptions.TelemetryError, "must contain a token") as caught,
            ):
                self.headers(self.file)
            self.assertTrue(caught.exception.affects_all)

    def test_file_without_end_raises(self) -> None:
        fifo = self.file.with_name("fifo")
        os.mkfifo(fifo)
        for path in (fifo, pathlib.Path("/dev/zero")):
            with self.subTest(path), self.assertRaisesRegex(exceptions.TelemetryError, "must contain a token"):
                self.headers(path)

    def test_missing_file_raises(self) -> None:
        expected = f"bearer_token_file: {self.file} cannot be read: No such file"
        with self.assertRaisesRegex(exceptions.TelemetryError, expected):
            self.headers(self.file)
        with self.assertRaisesRegex(exceptions.ConfigurationError, expected):
            make_driver([entry()], url="http://host", bearer_token_file=str(self.file))

    def test_basic_authentication_allows_any_text(self) -> None:
        self.assertEqual("Basic dXNlcjpww6Rzczp3b3Jk", basic("user", "p\u00e4ss:word"))


class ConfigurationTest(unittest.TestCase):
    def test_all_problems_are_told_at_once(self) -> None:
        with self.assertRaises(exceptions.ConfigurationError) as caught:
            make_driver([{"meter": "m"}], url="host", certfile="/nowhere", source="")
        found = "\n".join(caught.exception.problems)
        for expected in ("url must be", "certfile: /nowhere", "source is empty", "selector is missing"):
            self.assertIn(expected, found)
