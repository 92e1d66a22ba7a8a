# SPDX-License-Identifier: Apache-2.0
"""Adds up two usages of the same windows, and what differs between them."""

import dataclasses
import decimal
import enum
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from distil import model
from distil.rating.difference import find_differences

# Digits for exact sums: a month of a cloud's windows adds few to those of one volume.
_ARITHMETIC = decimal.Context(prec=80)


class Change(enum.StrEnum):
    """What becomes of a service, in one unit."""

    VOLUME = "volume"
    APPEARS = "appears"
    VANISHES = "vanishes"
    UNIT = "unit"


class ServiceTotal(NamedTuple):
    """Two usages of a service in a unit, added up.

    :param project_id: None: of all projects.
    :param before: volume in the first usage; None if it has no entry.
    :param after: volume in the second usage; None if it has no entry.
    :param entries: number of entries that differ. They may differ though the sums do not.
    :param change: None if no entry differs.
    """

    project_id: str | None
    service: str
    unit: str
    before: Decimal | None
    after: Decimal | None
    entries: int
    change: Change | None

    @property
    def difference(self) -> Decimal:
        """What is to be added to the first volume to get the second, exactly; a missing one counts as 0."""
        return _ARITHMETIC.subtract(self.after or Decimal(0), self.before or Decimal(0))


class _Key(NamedTuple):
    project_id: str | None
    service: str
    unit: str


@dataclasses.dataclass
class _Sums:
    before: Decimal | None = None
    after: Decimal | None = None
    entries: int = 0


class UsageTotals:
    """Adds up windows, of which it keeps no more than the sums by project, service and unit."""

    def __init__(self) -> None:
        self._sums: dict[_Key, _Sums] = defaultdict(_Sums)

    def add(self, project_id: str, before: Iterable[model.Usage], after: Iterable[model.Usage]) -> None:
        """Add the usages of one window."""
        before, after = list(before), list(after)
        for entry in before:
            sums = self._sums[_Key(project_id, entry.service, entry.unit)]
            sums.before = _ARITHMETIC.add(sums.before or Decimal(0), entry.volume)
        for entry in after:
            sums = self._sums[_Key(project_id, entry.service, entry.unit)]
            sums.after = _ARITHMETIC.add(sums.after or Decimal(0), entry.volume)
        for difference in find_differences(before, after):
            self._sums[_Key(project_id, difference.service, difference.unit)].entries += 1

    def by_project(self) -> Sequence[ServiceTotal]:
        """The totals of each project, by project, service and unit."""
        return _totals(self._sums)

    def by_service(self) -> Sequence[ServiceTotal]:
        """The totals of all projects, by service and unit."""
        sums: dict[_Key, _Sums] = defaultdict(_Sums)
        for key, part in self._sums.items():
            total = sums[key._replace(project_id=None)]
            total.before, total.after = _sum(total.before, part.before), _sum(total.after, part.after)
            total.entries += part.entries
        return _totals(sums)


def _sum(first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return second if first is None else first if second is None else _ARITHMETIC.add(first, second)


def _totals(all_sums: Mapping[_Key, _Sums]) -> Sequence[ServiceTotal]:
    billed_before = {key[:2] for key, sums in all_sums.items() if sums.before is not None}
    billed_after = {key[:2] for key, sums in all_sums.items() if sums.after is not None}

    def change(key: _Key, sums: _Sums) -> Change | None:
        if not sums.entries:
            return None
        if sums.before is None:
            return Change.UNIT if key[:2] in billed_before else Change.APPEARS
        if sums.after is None:
            return Change.UNIT if key[:2] in billed_after else Change.VANISHES
        return Change.VOLUME

    return [
        ServiceTotal(*key, sums.before, sums.after, sums.entries, change(key, sums))
        for key, sums in sorted(all_sums.items(), key=lambda item: (item[0].project_id or "", *item[0][1:]))
    ]
