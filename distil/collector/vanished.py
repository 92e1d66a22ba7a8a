# SPDX-License-Identifier: Apache-2.0
"""Which meters a window lacks that the previous window of its project had."""

import re
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from typing import NamedTuple

from distil import model
from distil.text import pluralize

Meters = Mapping[str, model.MeterCount]

_HELD = re.compile(r"held for this and (\d+) more runs?, then billed as suspect$")


class Loss(NamedTuple):
    """A meter that a window lacks, or has in another unit.

    :param old: its unit in the previous window; empty where the meter itself is gone.
    :param new: its unit now.
    """

    meter: str
    old: str = ""
    new: str = ""

    @property
    def is_unit(self) -> bool:
        return bool(self.old)

    def __str__(self) -> str:
        if self.is_unit:
            return f"meter {self.meter} changed its unit from {self.old} to {self.new}"
        return f"meter {self.meter} vanished"


class Shown(NamedTuple):
    """A meter that a window has, in a unit; an empty one stands for any."""

    meter: str
    unit: str


def losses(previous: Meters, current: Meters) -> list[Loss]:
    """What a window lacks, by meter. A meter without a unit has any."""
    found = []
    for meter, count in sorted(previous.items()):
        now = current.get(meter)
        if now is None:
            found.append(Loss(meter))
        elif count.unit and now.unit and count.unit != now.unit:
            found.append(Loss(meter, count.unit, now.unit))
    return found


def shown(current: Meters) -> set[Shown]:
    """What contradicts the losses of other projects."""
    return {Shown(meter, unit) for meter, count in current.items() for unit in {count.unit or "", ""}}


def is_contradicted(loss: Loss, others: Collection[Shown]) -> bool:
    """Whether another project has what is lost: the meter, or the meter in its old unit."""
    return Shown(loss.meter, loss.old) in others


def reason(found: Iterable[Loss], projects: int, more_runs: int) -> str:
    """Why a window is held.

    :param found: at least one.
    :param projects: number of those that lack the first.
    :param more_runs: for how many runs it will be held after this one.
    """
    first, *others = found
    also = f" (and {pluralize(len(others), 'other meter')})" if others else ""
    more = pluralize(more_runs, "more run")
    return (
        f"{first}{also}: {pluralize(projects, 'project')} had it in their previous window and none has it now; held"
        f" for this and {more}, then billed as suspect"
    )


def more_runs(failure: str | None, patience: int) -> int:
    """For how many runs a window is to be held after this one; negative: it is not held any more.

    :param failure: why the last run of the project failed at this window, as :func:`reason` says it if it was held;
        None: it did not.
    :param patience: for how many runs a window is held.
    """
    match = _HELD.search(failure or "")
    return patience - 1 if match is None else min(int(match[1]), patience) - 1
