# SPDX-License-Identifier: Apache-2.0
"""Sharing by a ring of members, with what keeps projects from being left to one that does not collect them."""

import contextlib
import datetime
from collections.abc import Iterator
from typing import NamedTuple
from typing import Protocol

from oslo_log import log

from distil import exceptions
from distil.coordination.leases import LeaseSharing

LOG = log.getLogger(__name__)

# Runs through which a project has to stay as it is, so that its member's run lies between whichever came first.
_PATIENCE = 2


class Ring(Protocol):
    """What a ring of members answers. :mod:`distil.coordination.membership` has one, and needs tooz for it."""

    def refresh(self) -> None:
        """:raises CoordinationError: the backend gave no usable answer."""

    def owns(self, project_id: str) -> bool:
        """Whether a project is in this member's share.

        :raises CoordinationError: the backend gave no usable answer.
        """

    def leave(self) -> None:
        """Have the others take over at once."""


class RingSharing:
    """Shares by a hash ring: a project belongs to one member of the collector type, until members join or leave.

    Whatever the ring says, nothing stays uncollected for ever. While the backend is away, leases share the projects
    out. And a member may be alive and collect nothing, because it hangs or cannot reach a service: a project that it
    has not touched for some runs is adopted, and collected by others at the end of their runs until it does again.
    """

    def __init__(self, ring: Ring, leases: LeaseSharing) -> None:
        self._ring = ring
        self._leases = leases
        self._away = False
        self._left: dict[str, _Left] = {}
        self._left_before: dict[str, _Left] = {}
        self._adopted: set[str] = set()
        self._adopted_before: set[str] = set()

    def begin(self) -> None:
        self._left_before, self._left = self._left, {}
        self._adopted_before, self._adopted = self._adopted, set()
        self._away = False
        try:
            self._ring.refresh()
        except exceptions.CoordinationError as error:
            self._fall_back(error)

    @contextlib.contextmanager
    def hold(self, project_id: str, due: datetime.datetime) -> Iterator[bool]:
        own = self._owns(project_id)
        if own is None or (not own and self._neglected(project_id, due)):
            with self._leases.hold(project_id, due) as held:
                yield held
        else:
            yield own

    def renew(self, project_id: str) -> None:
        if self._leases.holds(project_id):
            self._leases.renew(project_id)
        elif self._owns(project_id) is False:
            raise exceptions.ProjectTaken(f"project {project_id} is in another member's share now")

    def close(self) -> None:
        self._leases.close()
        self._ring.leave()

    def _owns(self, project_id: str) -> bool | None:
        """None: there is nobody to ask, until the next run."""
        if self._away:
            return None
        try:
            return self._ring.owns(project_id)
        except exceptions.CoordinationError as error:
            self._fall_back(error)
            return None

    def _fall_back(self, error: exceptions.CoordinationError) -> None:
        self._away = True
        LOG.error("Leases in the database share the projects out until the next run: %s", error)

    def _neglected(self, project_id: str, due: datetime.datetime) -> bool:
        """Whether its member leaves a project alone. Never at a run's first look: it has not had the time yet."""
        if project_id not in self._left:
            before = self._left_before.get(project_id)
            runs = before.runs + 1 if before and before.due == due else 0
            self._left[project_id] = _Left(due, runs)
            return False
        left = self._left[project_id]
        if left.due != due or (left.runs < _PATIENCE and project_id not in self._adopted_before):
            return False
        if project_id not in self._adopted_before:
            LOG.warning("Project %s is in the share of a member that does not collect it; it is adopted.", project_id)
        self._adopted.add(project_id)
        return True


class _Left(NamedTuple):
    """What became of another member's project.

    :param due: its first window that was due at the run's first look.
    :param runs: for how many runs that has been so.
    """

    due: datetime.datetime
    runs: int
