# SPDX-License-Identifier: Apache-2.0
"""How collectors of the same projects stay out of each other's way.

This avoids wasted work and decides nothing: two who collect the same window at once do no harm, because the store's
compare-and-set lets one of them through. That is why every doubt here is settled in favour of collecting.
"""

import contextlib
import datetime
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from oslo_log import log

from distil import exceptions
from distil.db.leases import Leases

LOG = log.getLogger(__name__)

# Part of a lease's length for which it counts as new: renewing it earlier would be a statement for nothing.
_NEW = 0.1

# Seconds that giving leases back may hold up the end of the process. They would expire anyway.
_RELEASING = 5.0


class Sharing(Protocol):
    """What a run asks."""

    def begin(self) -> None:
        """A run begins."""

    def hold(self, project_id: str, due: datetime.datetime) -> AbstractContextManager[bool]:
        """Whether this collector may collect a project now, and for the duration of the ``with``.

        False: another one does, or will.

        :param due: start of the project's first window that is due.
        :raises StoreError: the database did not answer.
        :raises Stopped: after :meth:`close`.
        """

    def renew(self, project_id: str) -> None:
        """Say that it goes on with a project that it holds; before each attempt at a window.

        :raises ProjectTaken: another one has it by now.
        :raises StoreError: the database did not answer.
        """

    def close(self) -> None:
        """Give everything back and take nothing more. Any thread may call it; it returns within seconds."""


class Ring(Protocol):
    """What a ring of members answers. :mod:`distil.coordination.ring` has one, and needs tooz for it."""

    def refresh(self) -> None:
        """:raises CoordinationError: the backend gave no usable answer."""

    def owns(self, project_id: str) -> bool:
        """Whether a project is in this member's share.

        :raises CoordinationError: the backend gave no usable answer.
        """

    def leave(self) -> None:
        """Have the others take over at once."""


class LeaseSharing:
    """Shares by leases in the database: a project belongs to whoever is first, while it is being collected."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._renewed: dict[str, float] = {}
        self._closed = False
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Nothing: whoever collects has leases, and others have none."""

    def holds(self, project_id: str) -> bool:
        """Whether there was a lease at the last look."""
        return project_id in self._renewed

    @contextlib.contextmanager
    def hold(self, project_id: str, _due: datetime.datetime) -> Iterator[bool]:
        if not self._acquire(project_id):
            yield False
            return
        try:
            yield True
        finally:
            self._release(project_id)

    def renew(self, project_id: str) -> None:
        now = time.monotonic()
        if now - self._renewed[project_id] < self._leases.length * _NEW:
            return
        if not self._leases.renew(project_id):
            raise exceptions.ProjectTaken(f"the lease of project {project_id} expired and is another collector's now")
        self._renewed[project_id] = now

    def close(self) -> None:
        releasing = threading.Thread(target=self._release_all, name="release leases", daemon=True)
        releasing.start()
        releasing.join(_RELEASING)

    def _acquire(self, project_id: str) -> bool:
        now = time.monotonic()
        # With the lock, for nothing may be acquired behind the back of close().
        with self._lock:
            if self._closed:
                raise exceptions.Stopped("the collector is stopping")
            held = self._leases.acquire(project_id)
        if held:
            self._renewed[project_id] = now
        return held

    def _release(self, project_id: str) -> None:
        del self._renewed[project_id]
        try:
            self._leases.release(project_id)
        except exceptions.StoreError as error:
            LOG.warning("Project %s: the lease will expire, because it could not be released: %s", project_id, error)

    def _release_all(self) -> None:
        try:
            with self._lock:
                self._closed = True
                self._leases.release_all()
        except exceptions.StoreError as error:
            LOG.warning("The leases will expire, because they could not be released: %s", error)


class RingSharing:
    """Shares by a hash ring: a project belongs to one member of the collector type, until members join or leave.

    Whatever the ring says, nothing stays uncollected for ever. While the backend is away, leases share the projects
    out. And what is still not collected a run later is anyone's: a member may be alive and collect nothing, because it
    hangs or cannot reach a service.
    """

    def __init__(self, ring: Ring, leases: LeaseSharing) -> None:
        self._ring = ring
        self._leases = leases
        self._away = False
        self._left: dict[str, datetime.datetime] = {}
        self._left_before: dict[str, datetime.datetime] = {}

    def begin(self) -> None:
        self._left_before, self._left = self._left, {}
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
        self._left[project_id] = due
        if self._left_before.get(project_id) != due:
            return False
        LOG.warning("Project %s: the member whose share it is in has not collected it since the last run.", project_id)
        return True
