# SPDX-License-Identifier: Apache-2.0
"""Compares the usage in two databases, project by project, while both are read."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

from distil import model
from distil.db.usage_source import CollectedSpan
from distil.db.usage_source import UsageSource
from distil.db.usage_source import WindowUsage
from distil.rating.parity import Cause
from distil.rating.parity import EntryPair
from distil.rating.parity import Precision
from distil.rating.parity import compare_window


class WindowPair(NamedTuple):
    """A window of which either system has usage.

    :param pairs: of its entries.
    """

    project_id: str
    window: model.Window
    pairs: Iterable[EntryPair]


class DatabaseParity:
    """Compares databases.

    A window that one side has not collected is not compared: each of its entries gets that for a cause.
    """

    def __init__(self, here: UsageSource, there: UsageSource, precision: Precision) -> None:
        self._here = here
        self._there = there
        self._precision = precision

    def project_ids(self) -> list[str]:
        """The projects that either side has collected in the period, sorted.

        :raises StoreError: a database failed.
        """
        return sorted(self._here.project_ids() | self._there.project_ids())

    def compare(self, project_ids: Iterable[str]) -> Iterator[WindowPair]:
        """The windows of projects, by project and time. Memory holds one window of each side.

        :raises StoreError: a database failed.
        """
        apart = set(self.project_ids())
        for project_id in project_ids:
            spans = self._here.span(project_id), self._there.span(project_id)
            here, there = (source.windows(project_id, apart) for source in (self._here, self._there))
            for window, first, second in _merge(here, there):
                yield WindowPair(project_id, window, self._pairs(window, first, second, *spans))

    def _pairs(
        self,
        window: model.Window,
        here: Sequence[model.Usage],
        there: Sequence[model.Usage],
        collected_here: CollectedSpan,
        collected_there: CollectedSpan,
    ) -> Iterable[EntryPair]:
        if not there and not collected_there.covers(window):
            return [EntryPair(Cause.NOT_COLLECTED_THERE, entry, None) for entry in here]
        if not here and not collected_here.covers(window):
            return [EntryPair(Cause.NOT_COLLECTED_HERE, None, entry) for entry in there]
        return compare_window(here, there, self._precision)


def _merge(
    here: Iterator[WindowUsage], there: Iterator[WindowUsage]
) -> Iterator[tuple[model.Window, list[model.Usage], list[model.Usage]]]:
    """The windows of both, in time order, with the usage of each side; both are in time order, too."""
    first, second = next(here, None), next(there, None)
    while first or second:
        window = min(found.window for found in (first, second) if found)
        usage: list[list[model.Usage]] = [[], []]
        if first and first.window == window:
            usage[0], first = first.usage, next(here, None)
        if second and second.window == window:
            usage[1], second = second.usage, next(there, None)
        yield window, usage[0], usage[1]
