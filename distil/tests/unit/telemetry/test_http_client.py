# SPDX-License-Identifier: Apache-2.0
"""What messages show of a response."""

import unittest

from distil import redaction
from distil.telemetry.http_client import show_value


class ShowValueTest(unittest.TestCase):
    def test_quoted_secret_is_masked(self) -> None:
        secret = "gAAAA-token-that-a-service-quotes"
        redaction.remember([secret])
        for value in (secret, [secret], {"metric": {"name": f"X-Auth-Token: {secret}"}}, ["-" * 180, secret]):
            with self.subTest(value):
                self.assertNotIn(secret[:12], show_value(value))

    def test_long_and_unprintable_values_are_short(self) -> None:
        nested: list[object] = []
        for _ in range(100_000):
            nested = [nested]
        for value in ("x" * 100_000, 10**5000, nested):
            self.assertLess(len(show_value(value)), 250)
