# SPDX-License-Identifier: Apache-2.0
"""Totals of windows that were collected again, for any usage before and after."""

import datetime
import unittest
from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from distil import model
from distil.cmd.manage.recollect_totals import RecollectTotals
from distil.collector.recollect import RecollectedWindow
from distil.collector.recollect import RecollectResult

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
WINDOW = model.Window(START, START + datetime.timedelta(hours=1))

_Volumes = dict[tuple[str, str], Decimal]

_volumes = st.decimals(0, 10**6, places=10)
_usage = st.dictionaries(st.tuples(st.sampled_from("ab"), st.sampled_from("xy")), _volumes, max_size=4)
_windows = st.lists(st.tuples(st.sampled_from("pq"), _usage, _usage), max_size=5)


def _entries(volumes: _Volumes) -> Sequence[model.Usage]:
    return [model.Usage(service, resource, "u", volume) for (service, resource), volume in volumes.items()]


class RecollectTotalsTest(unittest.TestCase):
    @given(_windows)
    def test_totals_are_sums_of_windows(self, windows: list[tuple[str, _Volumes, _Volumes]]) -> None:
        totals = RecollectTotals(dry_run=False)
        for project_id, before, after in windows:
            totals.add(
                RecollectedWindow(
                    project_id=project_id,
                    window=WINDOW,
                    result=RecollectResult.RECOLLECTED,
                    before=_entries(before),
                    after=_entries(after),
                )
            )
        rows = dict(totals.rows({"p": "project p"}))
        for key, total in rows.items():
            chosen = [window for window in windows if key.project_id in (None, window[0])]
            expected = [
                sum(volume for usage in usages for (service, _), volume in usage.items() if service == key.service)
                for usages in ([before for _, before, _ in chosen], [after for _, _, after in chosen])
            ]
            self.assertEqual(expected, [total.before, total.after])
            self.assertGreater(total.entries, 0)
        differing = sum(
            before.get(key) != after.get(key) for _, before, after in windows for key in before.keys() | after.keys()
        )
        self.assertEqual(differing, sum(total.entries for key, total in rows.items() if key.project_id))

    def test_results_are_counted(self) -> None:
        for dry_run, text in (
            (False, "2 windows: 1 recollected, 1 refused"),
            (True, "2 windows: 1 would be recollected, 1 refused"),
        ):
            totals = RecollectTotals(dry_run)
            for result in (RecollectResult.RECOLLECTED, RecollectResult.REFUSED):
                totals.add(RecollectedWindow(project_id="p", window=WINDOW, result=result))
            self.assertEqual(text, totals.describe())
        self.assertEqual("0 windows", RecollectTotals(dry_run=False).describe())
