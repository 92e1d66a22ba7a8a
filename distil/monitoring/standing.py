# SPDX-License-Identifier: Apache-2.0
"""How a run leaves the projects in scope."""

import dataclasses
import datetime
from collections import Counter
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping

from distil import model
from distil.monitoring.history import Behind
from distil.monitoring.history import State

_TAKEN = "another collector has it"


@dataclasses.dataclass(frozen=True)
class Standing:
    """:param states: number of projects in each state.
    :param behind: furthest back first.
    """

    states: Mapping[State, int]
    behind: tuple[Behind, ...]

    @property
    def due(self) -> int:
        """Number of windows that are still due."""
        return sum(each.due for each in self.behind)


def standing(
    projects: Iterable[model.Project],
    collected: Mapping[str, datetime.datetime],
    due: Callable[[datetime.datetime], int],
    failed: Mapping[str, str],
    left: Collection[str],
) -> Standing:
    """:param collected: last collected by project id, of those of whom it is known.
    :param due: number of windows that are due, by last collected.
    :param failed: why, by project id.
    :param left: ids of the projects that other collectors have.
    """
    states = Counter[State]()
    behind = []
    for project in projects:
        stands = collected.get(project.id)
        windows = 0 if stands is None else due(stands)
        state = State.SKIPPED if stands is None else _state(project.id, windows, failed, left)
        states[state] += 1
        if stands is not None and windows:
            problem = _TAKEN if state is State.SKIPPED else failed.get(project.id)
            behind.append(Behind(project.id, project.name, stands, windows, problem))
    return Standing(states, tuple(sorted(behind, key=lambda each: each.last_collected)))


def _state(project_id: str, windows: int, failed: Mapping[str, str], left: Collection[str]) -> State:
    if project_id in failed:
        return State.FAILED
    if not windows:
        return State.UP_TO_DATE
    return State.SKIPPED if project_id in left else State.BEHIND
