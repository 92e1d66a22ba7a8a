# SPDX-License-Identifier: Apache-2.0
"""The state of each project in scope at the end of a run."""

import dataclasses
import datetime
import enum
from collections import Counter
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Self

from distil import model

# Before any other.
_UNKNOWN = datetime.datetime.min.replace(tzinfo=datetime.UTC)

_HELD_ELSEWHERE = "another collector has it"


class ProjectState(enum.StrEnum):
    """The state of a project at the end of a run.

    ``behind``: windows are still due because the run reached its limit. ``failed``: a window that was due could not
    be collected, or its last collected is unknown. ``skipped``: held by another collector.
    """

    UP_TO_DATE = "up_to_date"
    BEHIND = "behind"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclasses.dataclass(frozen=True, slots=True)
class LaggingProject:
    """A project with windows that are still due, or one that failed.

    :param last_collected: None if it is unknown.
    :param due: number of these windows; 0 if it is unknown.
    :param problem: why the first of them was not collected; None where the run reached its limit.
    """

    project_id: str
    name: str
    last_collected: datetime.datetime | None
    due: int
    problem: str | None = None


@dataclasses.dataclass(frozen=True)
class ProjectStates:
    """The states of all projects that a run collects.

    :param counts: number of projects in each state.
    :param lagging: the projects with windows due or a failure, oldest last collected first.
    """

    counts: Mapping[ProjectState, int]
    lagging: tuple[LaggingProject, ...]

    @classmethod
    def of(
        cls,
        projects: Iterable[model.Project],
        last_collected: Mapping[str, datetime.datetime],
        due: Mapping[str, int],
        failures: Mapping[str, str],
        held: Collection[str],
    ) -> Self:
        """Derive the states.

        :param last_collected: by project id; projects whose last collected is unknown are absent, and have a failure.
        :param due: number of windows due, by project id.
        :param failures: reason by project id.
        :param held: ids of the projects that other collectors hold.
        """
        counts = Counter[ProjectState]()
        lagging = []
        for project in projects:
            stored = last_collected.get(project.id)
            number = due.get(project.id, 0)
            state = _state(project.id, stored is not None and not number, failures, held)
            counts[state] += 1
            if number or state is ProjectState.FAILED:
                problem = _HELD_ELSEWHERE if state is ProjectState.SKIPPED else failures.get(project.id)
                lagging.append(LaggingProject(project.id, project.name, stored, number, problem))
        return cls(counts, tuple(sorted(lagging, key=lambda project: project.last_collected or _UNKNOWN)))

    @property
    def windows_due(self) -> int:
        """Number of windows still due, of all projects."""
        return sum(project.due for project in self.lagging)


def _state(project_id: str, is_current: bool, failures: Mapping[str, str], held: Collection[str]) -> ProjectState:
    if project_id in failures:
        return ProjectState.FAILED
    if is_current:
        return ProjectState.UP_TO_DATE
    return ProjectState.SKIPPED if project_id in held else ProjectState.BEHIND
