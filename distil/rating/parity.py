# SPDX-License-Identifier: Apache-2.0
"""Compares usage with that of another system, entry by entry."""

import dataclasses
import decimal
import enum
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from distil import model

# Digits for exact sums of all volumes.
_ARITHMETIC = decimal.Context(prec=80)


class Cause(enum.StrEnum):
    """What an entry has to do with the other system's entry of the same service, resource and window."""

    EQUAL = "equal"
    ROUNDING = "rounding"
    TOLERANCE = "tolerance"
    VOLUME = "volume"
    UNIT = "unit"
    ONLY_HERE = "only here"
    ONLY_THERE = "only there"
    NOT_COLLECTED_HERE = "not collected here"
    NOT_COLLECTED_THERE = "not collected there"

    @property
    def is_accepted(self) -> bool:
        """Whether nothing else would be billed, but for the other system's decimal places or the tolerance."""
        return self in (Cause.EQUAL, Cause.ROUNDING, Cause.TOLERANCE)


@dataclasses.dataclass(frozen=True)
class Precision:
    """How exactly volumes have to agree.

    :param scale: decimal places to which the other system rounds, half up; None: it does not.
    :param tolerance: difference that is accepted, in the unit of the entry.
    """

    scale: int | None = None
    tolerance: Decimal = Decimal(0)

    def compare(self, here: Decimal, there: Decimal) -> Cause:
        """The cause for two volumes in the same unit."""
        if here == there:
            return Cause.EQUAL
        if self.scale is not None and there == _rounded(here, self.scale):
            return Cause.ROUNDING
        if abs(_ARITHMETIC.subtract(here, there)) <= self.tolerance:
            return Cause.TOLERANCE
        return Cause.VOLUME


class EntryPair(NamedTuple):
    """The entries of a service, resource and window in both systems, one of which may be missing."""

    cause: Cause
    here: model.Usage | None
    there: model.Usage | None

    @property
    def entry(self) -> model.Usage:
        """Either, for what they have in common."""
        entry = self.here or self.there
        if entry is None:
            raise ValueError("a pair has at least one entry")
        return entry

    @property
    def units(self) -> str:
        """The unit; both, if they differ."""
        units = dict.fromkeys(entry.unit for entry in (self.here, self.there) if entry)
        return " / ".join(units)


def compare_window(
    here: Iterable[model.Usage], there: Iterable[model.Usage], precision: Precision
) -> Iterator[EntryPair]:
    """The entries of a window, by service and resource. A service has at most one entry of a resource."""
    own = {(entry.service, entry.resource_id): entry for entry in here}
    others = {(entry.service, entry.resource_id): entry for entry in there}
    for key in sorted(own.keys() | others.keys()):
        first, second = own.get(key), others.get(key)
        if second is None:
            cause = Cause.ONLY_HERE
        elif first is None:
            cause = Cause.ONLY_THERE
        elif first.unit != second.unit:
            cause = Cause.UNIT
        else:
            cause = precision.compare(first.volume, second.volume)
        yield EntryPair(cause, first, second)


class CauseTotal(NamedTuple):
    """What the pairs of one service, unit and cause amount to.

    :param entries: number of pairs.
    :param here: sum of volumes.
    :param there: sum of volumes.
    """

    service: str
    unit: str
    cause: Cause
    entries: int
    here: Decimal
    there: Decimal

    @property
    def difference(self) -> Decimal:
        """What the other system has more, exactly."""
        return _ARITHMETIC.subtract(self.there, self.here)


@dataclasses.dataclass
class _Sums:
    entries: int = 0
    here: Decimal = Decimal(0)
    there: Decimal = Decimal(0)


class ParityTotals:
    """Adds up pairs, of which it keeps no more than the sums by service, unit and cause."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str, Cause], _Sums] = defaultdict(_Sums)

    def add(self, pair: EntryPair) -> None:
        """Add a pair."""
        sums = self._sums[pair.entry.service, pair.units, pair.cause]
        sums.entries += 1
        if pair.here:
            sums.here = _ARITHMETIC.add(sums.here, pair.here.volume)
        if pair.there:
            sums.there = _ARITHMETIC.add(sums.there, pair.there.volume)

    @property
    def rows(self) -> Sequence[CauseTotal]:
        """The totals, by service, unit and cause."""
        return [CauseTotal(*key, sums.entries, sums.here, sums.there) for key, sums in sorted(self._sums.items())]

    def count(self, *causes: Cause) -> int:
        """Number of pairs of these causes; of all without any."""
        return sum(sums.entries for (_, _, cause), sums in self._sums.items() if not causes or cause in causes)

    @property
    def agrees(self) -> bool:
        """Whether every cause is accepted."""
        return all(cause.is_accepted for _, _, cause in self._sums)


def _rounded(volume: Decimal, scale: int) -> Decimal:
    # As MariaDB, MySQL and PostgreSQL round what they store: half away from zero.
    return volume.quantize(Decimal(1).scaleb(-scale), decimal.ROUND_HALF_UP, _ARITHMETIC)
