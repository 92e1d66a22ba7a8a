# SPDX-License-Identifier: Apache-2.0
"""What ``parity`` shows: sums by service, unit and cause, or each entry that differs."""

import datetime
import itertools
import logging
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

from distil import model
from distil.cmd.manage import base
from distil.collector.database_parity import WindowPair
from distil.rating.parity import Cause
from distil.rating.parity import EntryPair
from distil.rating.parity import ParityTotals
from distil.text import pluralize

LOG = logging.getLogger(__name__)

SUM_COLUMNS = ("service", "unit", "cause", "entries", "here", "there", "difference")
ROW_COLUMNS = ("project_id", "start", "end", "service", "resource_id", "unit", "cause", "here", "there")

_NOT_COLLECTED = (Cause.NOT_COLLECTED_HERE, Cause.NOT_COLLECTED_THERE)


def sums(windows: Iterable[WindowPair], totals: ParityTotals) -> Iterator[Sequence[object]]:
    """Rows of SUM_COLUMNS, without those of equal entries.

    :param totals: to which all entries are added.
    """
    for window in windows:
        for pair in window.pairs:
            totals.add(pair)
    for total in totals.rows:
        if total.cause is not Cause.EQUAL:
            volumes = map(base.format_volume, (total.here, total.there, total.difference))
            yield (total.service, total.unit, str(total.cause), total.entries, *volumes)


def rows(windows: Iterable[WindowPair], totals: ParityTotals, zone: datetime.tzinfo) -> Iterator[Sequence[object]]:
    """Rows of ROW_COLUMNS, without equal entries. Adjacent windows that one side has not collected share a row.

    :param totals: to which all entries are added.
    :param zone: of the times.
    """
    differing = _differing(windows, totals)
    for (project_id, cause), group in itertools.groupby(differing, key=_project_and_gap):
        if cause is None:
            yield from (_row(window, pair, zone) for window, pair in group)
            continue
        first, last = _ends(window.window for window, _ in group)
        times = base.format_time(first.start, zone), base.format_time(last.end, zone)
        yield (project_id, *times, None, None, None, str(cause), None, None)


def log_totals(totals: ParityTotals) -> None:
    """Log how many entries were compared, and how many of them differ."""
    counts = [f"{number} {cause}" for cause in Cause if (number := totals.count(cause))]
    compared = pluralize(totals.count(), "entry", "entries")
    LOG.info("Compared %s%s", compared, f": {', '.join(counts)}" if counts else "")


def _differing(windows: Iterable[WindowPair], totals: ParityTotals) -> Iterator[tuple[WindowPair, EntryPair]]:
    for window in windows:
        for pair in window.pairs:
            totals.add(pair)
            if pair.cause is not Cause.EQUAL:
                yield window, pair


def _project_and_gap(differing: tuple[WindowPair, EntryPair]) -> tuple[str, Cause | None]:
    """The project, and the cause if it is that of whole windows."""
    window, pair = differing
    return window.project_id, pair.cause if pair.cause in _NOT_COLLECTED else None


def _ends(windows: Iterator[model.Window]) -> tuple[model.Window, model.Window]:
    """The first and the last window."""
    first = last = next(windows)
    for last in windows:  # noqa: B007
        pass
    return first, last


def _row(window: WindowPair, pair: EntryPair, zone: datetime.tzinfo) -> Sequence[object]:
    times = (base.format_time(time, zone) for time in (window.window.start, window.window.end))
    entry = pair.entry
    volumes = (base.format_volume(side.volume if side else None) for side in (pair.here, pair.there))
    return (window.project_id, *times, entry.service, entry.resource_id, pair.units, str(pair.cause), *volumes)
