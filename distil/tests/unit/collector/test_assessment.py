# SPDX-License-Identifier: Apache-2.0
"""Which runs collected nothing although they should have."""

import datetime
import unittest
from typing import Any

from distil import exceptions
from distil.collector.assessment import require_collection
from distil.monitoring.history import RunResult

NOW = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)


def assess(failed: int = 0, **values: Any) -> None:
    result = RunResult("", NOW, **{"projects": 10, "due": 10, **values})
    require_collection(result, {f"p{number}": "HTTP 503" for number in range(failed)}, "default", 12)


class RequireCollectionTest(unittest.TestCase):
    def assert_nothing_collected(self, reason: str, **values: Any) -> None:
        with self.assertRaisesRegex(exceptions.NothingCollected, reason):
            assess(**values)

    def test_no_project_is_failure(self) -> None:
        self.assert_nothing_collected("no project .* collector default; Keystone has 12 enabled projects", projects=0)

    def test_all_projects_failed_is_failure(self) -> None:
        self.assert_nothing_collected(
            "no window was committed, and 10 windows are still due; 10 of 10 projects failed, for example: HTTP 503",
            failed=10,
            due=0,
            still_due=10,
        )

    def test_departed_projects_count_on_both_sides(self) -> None:
        self.assert_nothing_collected("4 of 4 projects failed", projects=3, departing=1, failed=4, still_due=4)
        assess(projects=3, departing=3, failed=2)

    def test_nothing_due_is_not_counted(self) -> None:
        self.assert_nothing_collected("^none of 10 projects is collected: HTTP 503$", failed=10, due=0, still_due=0)
        self.assert_nothing_collected(
            "^no window was committed; 9 of 10 projects failed, for example: HTTP 503$", failed=9, due=0
        )

    def test_new_projects_do_not_hide_failure(self) -> None:
        """They have no window due yet."""
        self.assert_nothing_collected("8 of 10 projects failed", failed=8, due=8)

    def test_projects_held_elsewhere_do_not_hide_failure(self) -> None:
        self.assert_nothing_collected("2 of 10 projects failed", failed=2, skipped=7)

    def test_one_failed_project_among_others_passes(self) -> None:
        """The others were collected by the run before, shortly ago."""
        assess(failed=1, due=1)

    def test_committed_window_passes(self) -> None:
        assess(failed=9, windows=1)

    def test_nothing_due_passes(self) -> None:
        assess(due=0)

    def test_all_projects_held_elsewhere_passes(self) -> None:
        assess(skipped=10)

    def test_window_committed_elsewhere_passes(self) -> None:
        assess(still_due=0)
