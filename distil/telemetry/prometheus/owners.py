# SPDX-License-Identifier: Apache-2.0
"""Which counters were transferred from one project to another."""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence
from typing import NamedTuple

# A resource that more projects have in one period was not transferred: they use the same id.
_MAX_OWNERS = 8


class Counter(NamedTuple):
    """A resource whose series are counters.

    :ivar number: of the question.
    :ivar label: that holds the id of the resource.
    """

    number: int
    label: str
    resource_id: str


class Owners:
    """The projects that each counter belongs to in a period."""

    def __init__(self) -> None:
        self._projects: dict[Counter, tuple[str, ...]] = {}

    def record(self, counters: Iterable[Counter], project_id: str) -> None:
        for counter in counters:
            known = self._projects.get(counter, ())
            if project_id not in known and len(known) <= _MAX_OWNERS:
                self._projects[counter] = (*known, project_id)

    def sharing(self) -> Collection[str]:
        """The projects that share a counter with another."""
        return sorted({name for names in self._projects.values() if _is_transfer(names) for name in names})

    def others(self, counters: Iterable[Counter], project_id: str) -> Collection[str]:
        """The other projects that counters of a project belong to."""
        owners = (self._projects[counter] for counter in counters)
        return sorted({name for names in owners if _is_transfer(names) for name in names} - {project_id})


def _is_transfer(projects: Sequence[str]) -> bool:
    return 1 < len(projects) <= _MAX_OWNERS
