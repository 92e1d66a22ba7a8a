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
from distil.monitoring.metrics import Metrics

LOG = log.getLogger(__name__)

# Part of a lease's length for which it counts as new: renewing it earlier would be a statement for nothing.
RENEWAL_FRACTION = 0.1

# Seconds that giving leases back may hold up the end of the process. They would expire anyway.
LEASE_RELEASE_SECONDS = 5.0


class Partitioner(Protocol):
    """What a run asks."""

    def start_run(self) -> None:
        """A run begins."""

    def claim(self, project_id: str, due: datetime.datetime) -> AbstractContextManager[bool]:
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

    def stop(self) -> None:
        """Give everything back and take nothing more. Any thread may call it; it returns within seconds."""


class LeasePartitioner:
    """Shares by leases in the database: a project belongs to whoever is first, while it is being collected."""

    def __init__(self, leases: Leases, metrics: Metrics) -> None:
        self._leases = leases
        self._lost = metrics.leases_lost
        self._renewed: dict[str, float] = {}
        metrics.leases_held.set_function(lambda: len(self._renewed))
        self._closed = False
        self._lock = threading.Lock()

    def start_run(self) -> None:
        """Nothing: whoever collects has leases, and others have none."""

    def holds(self, project_id: str) -> bool:
        """Whether there was a lease at the last look."""
        return project_id in self._renewed

    @contextlib.contextmanager
    def claim(self, project_id: str, _due: datetime.datetime) -> Iterator[bool]:
        if not self._acquire(project_id):
            yield False
            return
        try:
            yield True
        finally:
            self._release(project_id)

    def renew(self, project_id: str) -> None:
        now = time.monotonic()
        if now - self._renewed[project_id] < self._leases.length * RENEWAL_FRACTION:
            return
        if not self._leases.renew(project_id):
            self._lost.inc()
            raise exceptions.ProjectReassigned(
                f"the lease of project {project_id} expired and is another collector's now"
            )
        self._renewed[project_id] = now

    def stop(self) -> None:
        releasing = threading.Thread(target=self._release_all, name="release leases", daemon=True)
        releasing.start()
        releasing.join(LEASE_RELEASE_SECONDS)

    def _acquire(self, project_id: str) -> bool:
        now = time.monotonic()
        # With the lock, for nothing may be acquired behind the back of close().
        with self._lock:
            if self._closed:
                raise exceptions.ShutdownRequested("the collector is stopping")
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
