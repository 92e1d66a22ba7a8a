# SPDX-License-Identifier: Apache-2.0
"""How collectors of the same projects divide them: by a hash ring, with leases for outages and orphaned projects.

Importing this imports tooz: import it only if a ``backend_url`` is set.
"""

import contextlib
import datetime
import enum
from collections.abc import Iterator
from typing import NamedTuple

from oslo_log import log

from distil import exceptions
from distil.coordination.leases import Claim
from distil.coordination.leases import LeasePartitioner
from distil.coordination.membership import HashRingMember

LOG = log.getLogger(__name__)

# Consecutive runs after which an unchanged project of another member counts as orphaned: they span a whole run of its
# owner, whichever collector's run starts first.
_ORPHANED_AFTER_RUNS = 2


class _Owner(enum.Enum):
    """Which member owns a project. ``UNKNOWN``: the backend does not respond, until the next run."""

    SELF = "self"
    OTHER = "other"
    UNKNOWN = "unknown"


class HashRingPartitioner:
    """Assigns each project to one member of the collector type, until members join or leave.

    No project stays uncollected, whatever the ring says. While the backend does not respond, leases partition the
    projects. A member that is alive may still collect nothing, because it hangs or cannot reach a service: an orphaned
    project, one that its owner has not touched for some runs, is collected by other members at the end of their runs
    until its owner collects it again.
    """

    def __init__(self, member: HashRingMember, leases: LeasePartitioner) -> None:
        self._member = member
        self._leases = leases
        self._backend_failed = False
        # By project ID, in this run and in the previous one.
        self._observed: dict[str, _Observation] = {}
        self._previously_observed: dict[str, _Observation] = {}
        self._stolen: set[str] = set()
        self._previously_stolen: set[str] = set()

    def start_run(self) -> None:
        self._previously_observed, self._observed = self._observed, {}
        self._previously_stolen, self._stolen = self._stolen, set()
        self._backend_failed = False
        try:
            self._member.refresh()
        except exceptions.CoordinationError as error:
            self._fall_back(error)

    @contextlib.contextmanager
    def claim(self, project_id: str, due: datetime.datetime) -> Iterator[Claim]:
        owner = self._owner(project_id)
        if owner is _Owner.SELF:
            yield Claim.HELD
        elif owner is _Owner.OTHER and not self._check_orphaned(project_id, due):
            yield Claim.TAKEN
        else:
            with self._leases.claim(project_id, due) as claim:
                yield claim

    def renew(self, project_id: str) -> None:
        if self._leases.holds(project_id):
            self._leases.renew(project_id)
        elif self._owner(project_id) is _Owner.OTHER:
            raise exceptions.ProjectReassigned(f"the hash ring assigns project {project_id} to another member now")

    def stop(self) -> None:
        self._leases.stop()
        self._member.leave_group()

    def _owner(self, project_id: str) -> _Owner:
        if self._backend_failed:
            return _Owner.UNKNOWN
        try:
            return _Owner.SELF if self._member.belongs_to_self(project_id) else _Owner.OTHER
        except exceptions.CoordinationError as error:
            self._fall_back(error)
            return _Owner.UNKNOWN

    def _fall_back(self, error: exceptions.CoordinationError) -> None:
        self._backend_failed = True
        LOG.error("Hash ring unavailable; partitioning projects by database leases until the next run: %s", error)

    def _check_orphaned(self, project_id: str, due: datetime.datetime) -> bool:
        """Whether the owner of a project does not collect it.

        Always false at a run's first check of a project, because its owner may collect it during the run.
        """
        observation = self._observed.get(project_id)
        if observation is None:
            previous = self._previously_observed.get(project_id)
            runs = previous.runs + 1 if previous and previous.due == due else 0
            self._observed[project_id] = _Observation(due, runs)
            return False
        stolen_before = project_id in self._previously_stolen
        if observation.due != due or (observation.runs < _ORPHANED_AFTER_RUNS and not stolen_before):
            return False
        if not stolen_before:
            LOG.warning("Project %s: its hash ring member does not collect it; taking it over", project_id)
        self._stolen.add(project_id)
        return True


class _Observation(NamedTuple):
    """A project of another member, at a run's first check.

    :param due: start of its first due window.
    :param runs: number of previous runs with the same ``due``.
    """

    due: datetime.datetime
    runs: int
