# SPDX-License-Identifier: Apache-2.0
"""The test vectors of the digests: stored digests are compared for years, so they never change."""

import hashlib
import json
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
            r'["b","täglich \"x\"","2026-01-02T03:00:00.000001+00:00","null","null"]]'
        )
        self.assertEqual("1:" + hashlib.sha256(text.encode()).hexdigest(), digest.samples_digest(rows))
        expected = "1:ec438ed51095e4517c425e5f435d0838d315242fac048146c20100599aa8d9e2"
        self.assertEqual(expected, digest.samples_digest(rows))

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

    def test_surrogate_does_not_change_how_others_are_written(self) -> None:
        text = "".join(map(chr, range(0x80))) + "ä\u2028🐘"
        with_surrogate = json.dumps([[text, "\ud800", "", "", ""]], ensure_ascii=False, separators=(",", ":"))
        expected = hashlib.sha256(with_surrogate.encode(errors="backslashreplace")).hexdigest()
        self.assertEqual("1:" + expected, digest.samples_digest([SampleRow(text, "\ud800", "", "", "")]))
        without = json.dumps([[text, "", "", "", ""]], ensure_ascii=False, separators=(",", ":"))
        expected = hashlib.sha256(without.encode()).hexdigest()
        self.assertEqual("1:" + expected, digest.samples_digest([SampleRow(text, "", "", "", "")]))

    def test_document(self) -> None:
        self.assertEqual("1:" + hashlib.sha256(b"{}").hexdigest(), digest.document_digest("{}"))
