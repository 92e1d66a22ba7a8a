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
from distil.monitoring.history import LaggingProject
from distil.monitoring.history import ProjectState

_TAKEN = "another collector has it"


@dataclasses.dataclass(frozen=True)
class Standing:
    """:param states: number of projects in each state.
    :param behind: furthest back first.
    """

    states: Mapping[ProjectState, int]
    behind: tuple[LaggingProject, ...]

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
    states = Counter[ProjectState]()
    behind = []
    for project in projects:
        stands = collected.get(project.id)
        windows = 0 if stands is None else due(stands)
        state = ProjectState.SKIPPED if stands is None else _state(project.id, windows, failed, left)
        states[state] += 1
        if stands is not None and windows:
            problem = _TAKEN if state is ProjectState.SKIPPED else failed.get(project.id)
            behind.append(LaggingProject(project.id, project.name, stands, windows, problem))
    return Standing(states, tuple(sorted(behind, key=lambda each: each.last_collected)))


def _state(project_id: str, windows: int, failed: Mapping[str, str], left: Collection[str]) -> ProjectState:
    if project_id in failed:
        return ProjectState.FAILED
    if not windows:
        return ProjectState.UP_TO_DATE
    return ProjectState.SKIPPED if project_id in left else ProjectState.BEHIND
