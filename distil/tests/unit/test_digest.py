# SPDX-License-Identifier: Apache-2.0
"""The test vectors of the digests: stored digests are compared for years, so they never change."""

import hashlib
import unittest
from decimal import Decimal

from distil import digest
from distil import model
from distil.digest import SampleRow


class DigestVectorTest(unittest.TestCase):
    def test_nothing(self) -> None:
        empty = "1:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
        self.assertEqual("1:" + hashlib.sha256(b"[]").hexdigest(), empty)
        self.assertEqual((empty, empty), (digest.samples_digest([]), digest.usage_digest([])))

    def test_samples(self) -> None:
        rows = [
            SampleRow("a", "r\ud800", "2026-01-02T03:00:00+00:00", "1", "1.50"),
            SampleRow("b", 'täglich "x"', "2026-01-02T03:00:00.000001+00:00", "null", "null"),
        ]
        text = (
            r'[["a","r\ud800","2026-01-02T03:00:00+00:00","1","1.50"],'
            r'["b","t\u00e4glich \"x\"","2026-01-02T03:00:00.000001+00:00","null","null"]]'
        )
        self.assertEqual("1:" + hashlib.sha256(text.encode()).hexdigest(), digest.samples_digest(rows))
        self.assertEqual(
            "1:c50033b211805bae59dd7c7cf928773ff7194a7cefca19d7af9501c07ad769b9", digest.samples_digest(rows)
        )

    def test_usage_in_any_order_and_scale(self) -> None:
        usage = [
            model.Usage("b1.standard", "r2", "gigabyte", Decimal(10)),
            model.Usage("b1.standard", "r1", "gigabyte", Decimal("0.1000000000")),
        ]
        text = '[["b1.standard","r1","gigabyte","0.1000000000"],["b1.standard","r2","gigabyte","10.0000000000"]]'
        self.assertEqual("1:" + hashlib.sha256(text.encode()).hexdigest(), digest.usage_digest(usage))
        self.assertEqual(digest.usage_digest(usage), digest.usage_digest(usage[::-1]))
        self.assertEqual(
            "1:87fec4e19aabdf1025e90e0ee83faad832cc29eba576e86e2a8b9d0f52281058", digest.usage_digest(usage)
        )

    def test_document(self) -> None:
        self.assertEqual("1:" + hashlib.sha256(b"{}").hexdigest(), digest.document_digest("{}"))
