# SPDX-License-Identifier: Apache-2.0
"""No secret in text from outside."""

import base64
import contextvars
import html
import json
import threading
import unittest
import urllib.parse

import sqlalchemy as sa

from distil.redaction import redact
from distil.redaction import remember
from distil.tests.support.secrets import found
from distil.tests.support.secrets import secret


class RedactTest(unittest.TestCase):
    def setUp(self) -> None:
        self.context = contextvars.copy_context()

    def redacted(self, text: str, *secrets: str) -> str:
        self.context.run(remember, secrets)
        return self.context.run(redact, text)

    def test_secret_is_masked_in_every_encoding(self) -> None:
        hidden = secret("/p@ss:é \"<'>+%41\\")
        for text in (
            hidden,
            urllib.parse.quote(hidden),
            urllib.parse.quote(hidden, safe=""),
            urllib.parse.quote(hidden, safe="").replace("%2F", "%2f"),
            urllib.parse.quote_plus(hidden),
            json.dumps({"a": hidden}),
            json.dumps({"a": hidden}, ensure_ascii=False),
            json.dumps(json.dumps({"a": hidden})),
            repr(hidden),
            html.escape(hidden),
            sa.URL.create("x", "u", hidden, "h").render_as_string(hide_password=False),
        ):
            shown = self.redacted(f"a {text} b", hidden)
            self.assertEqual([], found(shown, [hidden]), shown)
            self.assertRegex(shown, r"^a .*\*\*\*.* b$")

    def test_token_in_base64_is_masked(self) -> None:
        token = "gAAAAA~?" + 20 * "Zz9_"
        for offset in range(6):
            text = f"{'X' * offset}:{token}".encode()
            for encode in (base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes):
                shown = self.redacted(encode(text).decode(), token)
                self.assertRegex(shown, r"^.{0,12}\*\*\*.{0,4}\n?$")

    def test_token_in_lines_is_masked(self) -> None:
        token = 60 * "aB3"
        for separator in ("\n", "\r\n    ", " "):
            lines = separator.join(token[start : start + 76] for start in range(0, len(token), 76))
            self.assertEqual("a *** b", self.redacted(f"a {lines} b", token))

    def test_several_secrets_are_masked(self) -> None:
        self.redacted("", "gAAAA-old-token")
        self.assertEqual("*** *** b", self.redacted("gAAAA-old-token gAAAA-new b", "gAAAA-new", ""))

    def test_secret_that_begins_like_another(self) -> None:
        self.assertEqual("*** ***", self.redacted("gAAAA-token-2 gAAAA-token", "gAAAA-token", "gAAAA-token-2"))

    def test_oldest_secrets_are_forgotten(self) -> None:
        tokens = [f"gAAAA-token-{number:02}" for number in range(20)]
        for token in tokens:
            self.redacted("", token)
        self.assertEqual("gAAAA-token-00 ***", self.redacted(f"{tokens[0]} {tokens[-1]}"))

    def test_short_secret_leaves_longer_words(self) -> None:
        self.assertEqual('distil-collector *** "***"', self.redacted('distil-collector til "til"', "til"))

    def test_password_in_url_is_masked(self) -> None:
        for text, shown in (
            ("GET http://u:pass@h/x: 500", "GET http://u:***@h/x: 500"),
            ("http://u:p@ss:w@h:1/x?y=a@b", "http://u:***@h:1/x?y=a@b"),
            ("redis://:pass@h", "redis://:***@h"),
            ("http%3A%2F%2Fu%3Ap%40ss%40h%2Fx", "http%3A%2F%2Fu%3A***%40h%2Fx"),
            ("http%3a%2f%2fu%3apass%40h%2fx%40", "http%3a%2f%2fu%3a***%40h%2fx%40"),
            (r'{"url": "http:\/\/u:pass@h\/x"}', r'{"url": "http:\/\/u:***@h\/x"}'),
            ("http://h/x and http://u:pass@h", "http://h/x and http://u:***@h"),
        ):
            self.assertEqual(shown, self.redacted(text))

    def test_other_urls_are_kept(self) -> None:
        for text in ("http://h:80/x@y", "http://u@h/x", "http://h:80 a@b", "//h:1?a@b", "http://[::1]:80/x"):
            self.assertEqual(text, self.redacted(text))

    def test_threads_have_their_own_secrets(self) -> None:
        thread = threading.Thread(target=remember, args=(["gAAAA-of-another"],))
        thread.start()
        thread.join()
        self.assertEqual("gAAAA-of-another", self.redacted("gAAAA-of-another"))
