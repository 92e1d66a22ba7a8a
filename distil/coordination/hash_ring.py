# SPDX-License-Identifier: Apache-2.0
"""Sharing by a ring of members, with what keeps projects from being left to one that does not collect them."""

import contextlib
import datetime
from collections.abc import Iterator
from typing import NamedTuple
from typing import Protocol

from oslo_log import log

from distil import exceptions
from distil.coordination.leases import LeasePartitioner

LOG = log.getLogger(__name__)

# Runs through which a project has to stay as it is, so that its member's run lies between whichever came first.
ORPHANED_AFTER_RUNS = 2


class Member(Protocol):
    """What a ring of members answers. :mod:`distil.coordination.membership` has one, and needs tooz for it."""

    def refresh(self) -> None:
        """:raises CoordinationError: the backend gave no usable answer."""

    def belongs_to_self(self, project_id: str) -> bool:
        """Whether a project is in this member's share.

        :raises CoordinationError: the backend gave no usable answer.
        """

    def leave_group(self) -> None:
        """Have the others take over at once."""


class HashRingPartitioner:
    """Shares by a hash ring: a project belongs to one member of the collector type, until members join or leave.

    Whatever the ring says, nothing stays uncollected for ever. While the backend is away, leases share the projects
    out. And a member may be alive and collect nothing, because it hangs or cannot reach a service: a project that it
    has not touched for some runs is adopted, and collected by others at the end of their runs until it does again.
    """

    def __init__(self, ring: Member, leases: LeasePartitioner) -> None:
        self._ring = ring
        self._leases = leases
        self._backend_down = False
        self._pending: dict[str, _PendingProject] = {}
        self._pending_before: dict[str, _PendingProject] = {}
        self._stolen: set[str] = set()
        self._stolen_before: set[str] = set()

    def start_run(self) -> None:
        self._pending_before, self._pending = self._pending, {}
        self._stolen_before, self._stolen = self._stolen, set()
        self._backend_down = False
        try:
            self._ring.refresh()
        except exceptions.CoordinationError as error:
            self._fall_back(error)

    @contextlib.contextmanager
    def claim(self, project_id: str, due: datetime.datetime) -> Iterator[bool]:
        own = self._owns(project_id)
        if own is None or (not own and self._orphaned(project_id, due)):
            with self._leases.claim(project_id, due) as held:
                yield held
        else:
            yield own

    def renew(self, project_id: str) -> None:
        if self._leases.holds(project_id):
            self._leases.renew(project_id)
        elif self._owns(project_id) is False:
            raise exceptions.ProjectReassigned(f"project {project_id} is in another member's share now")

    def stop(self) -> None:
        self._leases.stop()
        self._ring.leave_group()

    def _owns(self, project_id: str) -> bool | None:
        """None: there is nobody to ask, until the next run."""
        if self._backend_down:
            return None
        try:
            return self._ring.belongs_to_self(project_id)
        except exceptions.CoordinationError as error:
            self._fall_back(error)
            return None

    def _fall_back(self, error: exceptions.CoordinationError) -> None:
        self._backend_down = True
        LOG.error("Leases in the database share the projects out until the next run: %s", error)

    def _orphaned(self, project_id: str, due: datetime.datetime) -> bool:
        """Whether its member leaves a project alone. Never at a run's first look: it has not had the time yet."""
        if project_id not in self._pending:
            before = self._pending_before.get(project_id)
            runs = before.runs + 1 if before and before.due == due else 0
            self._pending[project_id] = _PendingProject(due, runs)
            return False
        left = self._pending[project_id]
        if left.due != due or (left.runs < ORPHANED_AFTER_RUNS and project_id not in self._stolen_before):
            return False
        if project_id not in self._stolen_before:
            LOG.warning("Project %s is in the share of a member that does not collect it; it is adopted.", project_id)
        self._stolen.add(project_id)
        return True


class _PendingProject(NamedTuple):
    """What became of another member's project.

    :param due: its first window that was due at the run's first look.
    :param runs: for how many runs that has been so.
    """

    due: datetime.datetime
    runs: int
