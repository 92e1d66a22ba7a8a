# SPDX-License-Identifier: Apache-2.0
"""How collectors of the same projects divide them: by leases in the database.

Partitioning avoids duplicate work; it does not guard the data. If two collectors collect the same window, the store's
compare-and-set lets one of them commit. Every doubt is therefore resolved in favour of collecting.
"""

import contextlib
import datetime
import enum
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

# A lease is not renewed before this fraction of its length has passed, which saves statements.
_RENEWAL_FRACTION = 0.1

# How long releasing the leases may delay the end of the process. They would expire anyway.
RELEASE_TIMEOUT_SECONDS = 5.0


class Claim(enum.Enum):
    """The result of claiming a project.

    ``HELD``: this collector may collect it. ``TAKEN``: another collector does, or will.
    """

    HELD = "held"
    TAKEN = "taken"


class Partitioner(Protocol):
    """Decides which projects a collector collects. Threads may share it."""

    def start_run(self) -> None:
        """Is called at the start of a run."""

    def claim(self, project_id: str, due: datetime.datetime) -> AbstractContextManager[Claim]:
        """Claims a project for the duration of the ``with`` block.

        :param due: start of the project's first due window.
        :raises StoreError: the database request failed.
        :raises ShutdownRequested: after :meth:`stop`.
        """

    def renew(self, project_id: str) -> None:
        """Extends the claim of a held project; is called before each attempt to collect a window.

        :raises ProjectReassigned: another collector has the project now.
        :raises StoreError: the database request failed.
        """

    def stop(self) -> None:
        """Releases all projects and refuses further claims. Any thread may call it; it returns within seconds."""


class LeasePartitioner:
    """Assigns a project to the first collector that claims it, while it is being collected."""

    def __init__(self, leases: Leases, metrics: Metrics) -> None:
        self._leases = leases
        self._leases_lost = metrics.leases_lost
        # Monotonic time of the last acquisition or renewal, by ID of a held project.
        self._renewed: dict[str, float] = {}
        metrics.leases_held.set_function(lambda: len(self._renewed))
        self._stopped = False
        self._lock = threading.Lock()

    def start_run(self) -> None:
        """Does nothing: leases do not depend on runs."""

    def holds(self, project_id: str) -> bool:
        """Whether a lease of the project has been acquired and not been released."""
        return project_id in self._renewed

    @contextlib.contextmanager
    def claim(self, project_id: str, _due: datetime.datetime) -> Iterator[Claim]:
        if not self._acquire(project_id):
            yield Claim.TAKEN
            return
        try:
            yield Claim.HELD
        finally:
            self._release(project_id)

    def renew(self, project_id: str) -> None:
        now = time.monotonic()
        if now - self._renewed[project_id] < self._leases.length * _RENEWAL_FRACTION:
            return
        if not self._leases.renew(project_id):
            self._leases_lost.inc()
            raise exceptions.ProjectReassigned(
                f"the lease of project {project_id} expired and another collector acquired it"
            )
        self._renewed[project_id] = now

    def stop(self) -> None:
        releasing = threading.Thread(target=self._release_all, name="release leases", daemon=True)
        releasing.start()
        releasing.join(RELEASE_TIMEOUT_SECONDS)

    def _acquire(self, project_id: str) -> bool:
        now = time.monotonic()
        # Under the lock, so that nothing is acquired after stop() has released everything.
        with self._lock:
            if self._stopped:
                raise exceptions.ShutdownRequested("the collector is stopping")
            acquired = self._leases.acquire(project_id)
        if acquired:
            self._renewed[project_id] = now
        return acquired

    def _release(self, project_id: str) -> None:
        del self._renewed[project_id]
        try:
            self._leases.release(project_id)
        except exceptions.StoreError as error:
            LOG.warning("Project %s: could not release the lease, which will expire: %s", project_id, error)

    def _release_all(self) -> None:
        try:
            with self._lock:
                self._stopped = True
                self._leases.release_all()
        except exceptions.StoreError as error:
            LOG.warning("Could not release the leases, which will expire: %s", error)
