# SPDX-License-Identifier: Apache-2.0
"""Adds up what became of windows that were collected again, by project and service."""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING
from typing import NamedTuple

from distil.text import pluralize

if TYPE_CHECKING:
    from distil.collector.recollect import RecollectedWindow

_ALL = "all projects"


class RowKey(NamedTuple):
    """What a row of the result is about.

    :param project_id: None for the total of all projects.
    """

    project_id: str | None
    project: str
    service: str
    unit: str


@dataclasses.dataclass
class Total:
    """The usage of a service in all windows that were looked at.

    :ivar entries: number of usage entries that differ.
    """

    before: Decimal = Decimal(0)
    after: Decimal = Decimal(0)
    entries: int = 0


class RecollectTotals:
    """Adds up windows.

    :param dry_run: nothing was changed.
    """

    def __init__(self, dry_run: bool) -> None:
        self._dry_run = dry_run
        self._results: Counter[str] = Counter()
        self._totals: dict[tuple[str, str, str], Total] = {}

    def add(self, recollected: "RecollectedWindow") -> None:
        """Add a window."""
        self._results[recollected.result] += 1
        project_id = recollected.project_id
        for entry in recollected.before:
            self._total(project_id, entry.service, entry.unit).before += entry.volume or 0
        for entry in recollected.after:
            self._total(project_id, entry.service, entry.unit).after += entry.volume
        for difference in recollected.differences:
            self._total(project_id, difference.service, difference.unit).entries += 1

    def describe(self) -> str:
        """How many windows there were, and what became of them."""
        would_be = "would be " if self._dry_run else ""
        parts = [
            f"{number} {would_be if result == 'recollected' else ''}{result}"
            for result, number in sorted(self._results.items())
        ]
        return ": ".join(filter(None, (pluralize(self._results.total(), "window"), ", ".join(parts))))

    def rows(self, names: Mapping[str, str]) -> Iterator[tuple[RowKey, Total]]:
        """What differs, by project, service and unit, and at the end the totals of several projects.

        :param names: of the projects, by id.
        """
        differing = sorted(key for key, total in self._totals.items() if total.entries)
        for key in differing:
            project_id, service, unit = key
            yield RowKey(project_id, names.get(project_id, ""), service, unit), self._totals[key]
        if len({project_id for project_id, _, _ in differing}) > 1:
            for service, unit in sorted({(service, unit) for _, service, unit in differing}):
                yield RowKey(None, _ALL, service, unit), self._sum(service, unit)

    def _sum(self, service: str, unit: str) -> Total:
        totals = [total for (_, *key), total in self._totals.items() if key == [service, unit]]
        return Total(
            sum((total.before for total in totals), Decimal(0)),
            sum((total.after for total in totals), Decimal(0)),
            sum(total.entries for total in totals),
        )

    def _total(self, *key: str) -> Total:
        project_id, service, unit = key
        return self._totals.setdefault((project_id, service, unit), Total())
