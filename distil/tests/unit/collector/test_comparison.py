# SPDX-License-Identifier: Apache-2.0
"""What a window's receipt and the samples that are held now make of it."""

import datetime
import unittest
from collections.abc import Mapping

from distil import model
from distil.collector.comparison import Finding
from distil.collector.comparison import MeterDifference
from distil.collector.comparison import judge
from distil.db.receipts import StoredReceipt

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
WINDOW = model.Window(START, START + datetime.timedelta(hours=1))


def receipt(**samples: int) -> StoredReceipt:
    contents = model.Receipt(
        samples=sum(samples.values()),
        used=0,
        untrusted=0,
        duplicates=0,
        rejected=0,
        entries=0,
        meters={name: model.MeterCount(number, 1, "GB") for name, number in samples.items()},
        samples_digest="1:x",
        usage_digest="1:y",
    )
    return StoredReceipt(
        project_id="p1",
        window=WINDOW,
        revision=3,
        contents=contents,
        rules=1,
        names=2,
        telemetry="t/r",
        collector="c",
        suspect=None,
        closed_period=None,
        committed=START,
    )


class JudgeTest(unittest.TestCase):
    def findings(
        self, held: Mapping[str, int], is_held: bool = True, is_other: bool = False
    ) -> tuple[Finding, int, list[MeterDifference]]:
        compared = judge(receipt(a=2, b=3), held, is_held, is_other)
        self.assertEqual(("p1", WINDOW, 3), (compared.project_id, compared.window, compared.revision))
        return compared.finding, compared.held, list(compared.differences)

    def test_equal_numbers_are_equal(self) -> None:
        for is_held in (True, False):
            self.assertEqual((Finding.EQUAL, 5, []), self.findings({"a": 2, "b": 3, "c": 0}, is_held))

    def test_meters_are_compared_one_by_one(self) -> None:
        differences = [MeterDifference("a", 2, 1), MeterDifference("c", 0, 1)]
        self.assertEqual((Finding.LATE, 5, differences), self.findings({"a": 1, "b": 3, "c": 1}))

    def test_other_samples_of_equal_number_name_no_meter(self) -> None:
        expected = (Finding.LATE, 5, [MeterDifference(None, 5, 5)])
        self.assertEqual(expected, self.findings({"a": 2, "b": 3}, is_other=True))
        more = (Finding.LATE, 6, [MeterDifference("b", 3, 4)])
        self.assertEqual(more, self.findings({"a": 2, "b": 4}, is_other=True))

    def test_nothing_held_of_any_project_is_not_late(self) -> None:
        finding, held, _ = self.findings({"a": 0, "b": 0}, is_held=False)
        self.assertEqual((Finding.NOT_HELD, 0), (finding, held))
        self.assertEqual(Finding.LATE, self.findings({"a": 0, "b": 0})[0])
