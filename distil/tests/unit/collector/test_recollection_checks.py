# SPDX-License-Identifier: Apache-2.0
"""What keeps a window from being replaced."""

import datetime
import unittest
from collections.abc import Mapping
from decimal import Decimal

from distil import digest
from distil import exceptions
from distil import model
from distil.collector import recollection_checks
from distil.collector.replay import ReplayedWindow
from distil.db.receipts import StoredReceipt
from distil.db.stored_windows import StoredWindow
from distil.transformers.lookups import Lookups

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
WINDOW = model.Window(START, START + datetime.timedelta(hours=1))
METERS = ("m1", "m2")


def usage(volume: str) -> tuple[model.Usage, ...]:
    return (model.Usage("s", "r", "u", Decimal(volume)),)


def contents(meters: Mapping[str, int], volume: str, rejected: int = 0) -> model.Receipt:
    return model.Receipt(
        samples=sum(meters.values()),
        used=sum(meters.values()) - rejected,
        untrusted=0,
        duplicates=0,
        rejected=rejected,
        entries=1,
        meters={name: model.MeterCount(samples, 1, "u") for name, samples in meters.items()},
        samples_digest=str(meters),
        usage_digest=digest.usage_digest(usage(volume)),
    )


def stored(receipt: model.Receipt | None, volume: str = "5", telemetry: str | None = "t/R") -> StoredWindow:
    if receipt is None:
        return StoredWindow("p", WINDOW, usage(volume), None)
    stored_receipt = StoredReceipt(
        project_id="p",
        window=WINDOW,
        revision=0,
        contents=receipt,
        rules=1,
        names=2,
        telemetry=telemetry,
        collector="c",
        suspect=None,
        closed_period=None,
        committed=START,
    )
    return StoredWindow("p", WINDOW, usage(volume), stored_receipt)


def replayed(receipt: model.Receipt, volume: str = "5") -> ReplayedWindow:
    rated = model.RatedWindow(usage(volume), (), (), {}, receipt.samples, (), 0)
    return ReplayedWindow(WINDOW, [], rated, receipt, Lookups(), "{}")


class RequireNoLessTest(unittest.TestCase):
    def check(self, before: model.Receipt | None, now: model.Receipt, volume: str = "5") -> str:
        try:
            recollection_checks.require_no_less(stored(before), replayed(now, volume), METERS)
        except exceptions.Refused as error:
            return str(error)
        return ""

    def test_more_samples_are_accepted(self) -> None:
        self.assertEqual("", self.check(contents({"m1": 2}, "5"), contents({"m1": 3, "m2": 1}, "6"), "6"))

    def test_fewer_of_one_meter_are_refused(self) -> None:
        message = self.check(contents({"m1": 2, "m2": 2}, "5"), contents({"m1": 9, "m2": 1}, "9"), "9")
        self.assertIn("(m2: 1 of 2)", message)

    def test_missing_meter_is_refused(self) -> None:
        self.assertIn("(m2: 0 of 2)", self.check(contents({"m2": 2}, "5"), contents({}, "5")))

    def test_meter_that_is_not_asked_for_is_ignored(self) -> None:
        self.assertEqual("", self.check(contents({"m3": 2}, "5"), contents({}, "0"), "0"))

    def test_smaller_usage_of_as_many_samples_is_accepted(self) -> None:
        self.assertEqual("", self.check(contents({"m1": 2}, "5"), contents({"m1": 2}, "4"), "4"))

    def test_shrinking_usage_of_rejected_samples_is_refused(self) -> None:
        message = self.check(contents({"m1": 2}, "5"), contents({"m1": 2}, "4", rejected=1), "4")
        self.assertIn("1 sample more would be rejected, and s of r would shrink", message)

    def test_late_sample_may_be_rejected(self) -> None:
        self.assertEqual("", self.check(contents({"m1": 2}, "5"), contents({"m1": 3}, "5", rejected=1)))

    def test_unrecorded_usage_may_only_grow(self) -> None:
        self.assertEqual("", self.check(None, contents({"m1": 2}, "6"), "6"))
        self.assertIn("it has no receipt", self.check(None, contents({"m1": 2}, "4.9999999999"), "4.9999999999"))


class IsEqualTest(unittest.TestCase):
    def test_usage_changed_by_hand_is_not_equal(self) -> None:
        receipt = contents({"m1": 2}, "5")
        self.assertTrue(recollection_checks.is_equal(stored(receipt), replayed(receipt)))
        self.assertFalse(recollection_checks.is_equal(stored(receipt, "4"), replayed(receipt)))

    def test_other_samples_with_same_usage_are_not_equal(self) -> None:
        other = contents({"m1": 3}, "5")
        self.assertFalse(recollection_checks.is_equal(stored(contents({"m1": 2}, "5")), replayed(other)))

    def test_unrecorded_window_is_not_equal(self) -> None:
        self.assertFalse(recollection_checks.is_equal(stored(None), replayed(contents({"m1": 2}, "5"))))


class RequireSameTelemetryTest(unittest.TestCase):
    def test_other_service_is_refused(self) -> None:
        receipt = contents({"m1": 2}, "5")
        for telemetry, accepted in (("t/R", True), (None, True), ("t/Q", False), ("u/R", False)):
            with self.subTest(telemetry):
                try:
                    collected_by = model.CollectedBy("t/R", "c", "rules")
                    recollection_checks.require_same_telemetry(stored(receipt, telemetry=telemetry), collected_by)
                except exceptions.Refused:
                    self.assertFalse(accepted)
                else:
                    self.assertTrue(accepted)
