# SPDX-License-Identifier: Apache-2.0
import datetime
import itertools
import unittest
from collections.abc import Iterable
from typing import Any

import hypothesis
from hypothesis import strategies

from distil import completeness
from distil.completeness import ProjectFailure
from distil.completeness import ProjectRecord
from distil.completeness import StateChange
from distil.completeness import WindowRange
from distil.completeness import WindowState
from distil.model import Window

DAY = datetime.datetime(2026, 10, 1, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
PERIOD = Window(DAY, DAY + 24 * HOUR)


def at(hour: int) -> datetime.datetime:
    return DAY + hour * HOUR


def received(hours: Iterable[int], state: WindowState = WindowState.COMPLETE) -> list[WindowRange]:
    return [WindowRange(Window(at(hour), at(hour + 1)), 1, state) for hour in hours]


def record(**fields: Any) -> ProjectRecord:
    defaults: dict[str, Any] = {
        "id": "p",
        "start": at(-5),
        "last_collected": at(24),
        "first_receipt": at(-5),
        "has_all_receipts": True,
    }
    return ProjectRecord(**defaults | fields)


def classify(project: ProjectRecord, receipts: Iterable[WindowRange]) -> list[tuple[int, int, str]]:
    return [
        ((found.window.start - DAY) // HOUR, (found.window.end - DAY) // HOUR, str(found.state))
        for found in completeness.classify(project, receipts, PERIOD)
    ]


class ClassifyTest(unittest.TestCase):
    def test_equal_windows_are_merged(self) -> None:
        receipts = received(range(10)) + received([10], WindowState.EMPTY) + received(range(11, 24))
        expected = [(0, 10, "complete"), (10, 11, "empty"), (11, 24, "complete")]
        self.assertEqual(expected, classify(record(), receipts))

    def test_deleted_receipt_is_missing(self) -> None:
        found = list(completeness.classify(record(), received([*range(7), *range(8, 24)]), PERIOD))
        self.assertEqual("collected, but its receipt was deleted", found[1].reason)
        self.assertEqual((Window(at(7), at(8)), 1, WindowState.MISSING), found[1][:3])

    def test_deleted_last_receipt_is_missing(self) -> None:
        self.assertEqual([(0, 23, "complete"), (23, 24, "missing")], classify(record(), received(range(23))))

    def test_windows_before_receipts_are_unrecorded(self) -> None:
        project = record(first_receipt=at(5), has_all_receipts=False)
        self.assertEqual([(0, 5, "unrecorded"), (5, 24, "complete")], classify(project, received(range(5, 24))))

    def test_deleted_first_receipt_is_missing(self) -> None:
        project = record(start=at(3), first_receipt=at(5))
        self.assertEqual([(3, 5, "missing"), (5, 24, "complete")], classify(project, received(range(5, 24))))

    def test_failed_window_precedes_missing(self) -> None:
        failure = ProjectFailure(at(7), at(8), "HTTP 500")
        project = record(last_collected=at(7), failure=failure)
        found = list(completeness.classify(project, received(range(7)), PERIOD))
        self.assertEqual([7, 1, 16], [each.number for each in found])
        self.assertEqual([WindowState.FAILED, WindowState.MISSING], [each.state for each in found[1:]])
        self.assertEqual("failing since 2026-10-01T08:00:00Z: HTTP 500", found[2].reason)

    def test_departed_project_ends(self) -> None:
        project = record(last_collected=at(15), departed=at(13), until=at(15), is_tracked=False)
        self.assertEqual([(0, 15, "complete")], classify(project, received(range(15))))

    def test_departed_project_names_its_state(self) -> None:
        states = [StateChange(at(13), "gone", "c")]
        project = record(last_collected=at(12), departed=at(13), until=at(14), is_tracked=False, states=states)
        found = list(completeness.classify(project, received(range(12)), PERIOD))
        self.assertEqual("gone since 2026-10-01T13:00:00Z, and not collected to the end", found[1].reason)

    def test_project_out_of_scope_ends(self) -> None:
        project = record(last_collected=at(4), is_tracked=False, states=[StateChange(at(4), "out_of_scope", "c")])
        self.assertEqual([(0, 4, "complete")], classify(project, received(range(4))))

    def test_never_registered_project_is_missing(self) -> None:
        states = [StateChange(at(5) + HOUR / 2, "enabled", "c"), StateChange(at(9), "gone", "c")]
        project = ProjectRecord(id="p", states=states)
        self.assertEqual([(5, 9, "missing")], classify(project, []))

    def test_project_never_enabled_is_not_expected(self) -> None:
        self.assertEqual([], classify(ProjectRecord(id="p", states=[StateChange(at(5), "disabled", "c")]), []))

    def test_nothing_is_expected_before_start(self) -> None:
        self.assertEqual([(20, 24, "complete")], classify(record(start=at(20)), received(range(20, 24))))

    @hypothesis.given(
        strategies.sets(strategies.integers(0, 23)),
        strategies.integers(0, 24),
        strategies.integers(0, 24),
        strategies.booleans(),
    )
    def test_every_window_is_classified_once(
        self, hours: set[int], start: int, collected: int, has_all_receipts: bool
    ) -> None:
        hours = {hour for hour in hours if start <= hour < collected}
        project = record(
            start=at(start),
            last_collected=at(max(start, collected)),
            first_receipt=at(min(hours)) if hours else None,
            has_all_receipts=has_all_receipts,
        )
        found = list(completeness.classify(project, received(sorted(hours)), PERIOD))
        times = [time for each in found for time in (each.window.start, each.window.end)]
        self.assertEqual(sorted(times), times)
        self.assertEqual(24 - start, sum(each.number for each in found))
        self.assertEqual(len(hours), sum(each.number for each in found if each.state is WindowState.COMPLETE))
        for one, other in itertools.pairwise(found):
            self.assertEqual(one.window.end, other.window.start)
            self.assertNotEqual((one.state, one.reason), (other.state, other.reason))

    @hypothesis.given(strategies.sets(strategies.integers(0, 23)))
    def test_merged_receipts_give_the_same(self, hours: set[int]) -> None:
        receipts = received(sorted(hours))
        project = record()
        merged = [found for found in completeness.classify(project, receipts, PERIOD) if found.state != "missing"]
        self.assertEqual(classify(project, receipts), classify(project, merged))
