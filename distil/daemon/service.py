# SPDX-License-Identifier: Apache-2.0
"""A collector as a process of oslo.service."""

import contextlib
import datetime
import os
import pathlib
import signal
import time
from collections.abc import Callable
from multiprocessing.sharedctypes import RawValue
from typing import Protocol

from oslo_log import log
from oslo_service.backend.base import ServiceBase
from setproctitle import setproctitle

from distil import exceptions
from distil.collector.run import Collector
from distil.collector.shutdown import Shutdown
from distil.daemon.restarts import RespawnBackoff
from distil.daemon.timer import repeat
from distil.db import leases
from distil.exporter.server import Exporter
from distil.monitoring.run import RunMonitor

LOG = log.getLogger(__name__)

# Seconds, more than anything takes that a collector waits for without being able to say that it lives.
HANG_TIMEOUT = 1800.0

# Until the leases of a collector that died are over.
RECHECK_AFTER = datetime.timedelta(seconds=leases.LEASE_SECONDS + 10)

# Seconds of the graceful time in which a transaction is waited for no more.
LEASE_RELEASE_SECONDS = 6.0


class Parts(Protocol):
    """Where a collector's process gets what it is made of, by the configuration as it is then."""

    def reload_logging(self) -> None:
        """Have the process's log follow the configuration."""

    def interval(self) -> datetime.timedelta:
        """From the start of a run to the start of the next."""

    def graceful_shutdown_timeout(self) -> float:
        """Seconds to end in on SIGTERM; 0: as long as it takes."""

    @property
    def monitor(self) -> RunMonitor:
        """Where runs are told of."""

    def exporter(self) -> Exporter | None:
        """The exporter, or None where there is to be none.

        :raises ConfigurationError: it cannot listen.
        """

    def collector(self, stop: Shutdown) -> Collector:
        """The collector; where it raises a DistilError the run fails, and the next one tries again."""


class CollectorService(ServiceBase):  # type: ignore[misc]
    """Runs a collector at its interval until it is stopped.

    It is made by the parent. What a fork does not survive, threads and connections, is made in the child.

    :param clock: the time, aware and in UTC.
    :param title: the collector and the worker, as ``ps`` shows the child.
    """

    def __init__(self, parts: Parts, clock: Callable[[], datetime.datetime], title: str) -> None:
        self._parts = parts
        self._clock = clock
        self._title = title
        self._stop = Shutdown(on_heartbeat=self._live)
        self._restarts = RespawnBackoff()
        # Shared with the child, without a lock, which a process that is killed might hold for ever.
        self._lived = RawValue("d", 0.0)
        self._pid = RawValue("i", 0)
        self._ending = RawValue("b", 0)
        self._collector: Collector | None = None
        self._exporter: Exporter | None = None

    def kill_if_hung(self) -> None:
        """Have a new process take the place of a child that has done nothing for long. The parent calls it."""
        lived = self._lived.value
        if not lived or time.monotonic() - lived <= HANG_TIMEOUT:
            return
        self._lived.value = 0.0
        pid = self.kill()
        if pid is not None:
            LOG.error(
                "Process %d has done nothing for %d seconds: it is killed, and another one starts.", pid, HANG_TIMEOUT
            )

    def kill(self) -> int | None:
        """Kill the child if there is one, and return its process id. The parent calls it."""
        pid: int = self._pid.value
        if _parent_of(pid) != os.getpid():
            return None
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(pid, signal.SIGKILL)
        return pid

    @property
    def was_killed(self) -> bool:
        """Whether the last child was ended while it was about to end, with a transaction open. The parent asks."""
        return bool(self._ending.value)

    def start(self) -> None:
        self._live()
        setproctitle(f"distil-collector: {self._title}")
        # Blocked in the parent, which has its own way with signals. A SIGINT from the terminal is for the parent alone.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP, signal.SIGTERM})
        self._pid.value = os.getpid()
        self._ending.value = 0
        self._parts.reload_logging()
        delay = self._restarts.delay()
        if delay:
            LOG.warning("The process before this one died early; this one begins in %.0f seconds.", delay)
            self._stop.wait(delay)
        self._show_metrics()

    def wait(self) -> None:
        repeat(
            self._run, self._parts.interval(), self._stop, self._clock, self._parts.monitor.set_next_run, RECHECK_AFTER
        )

    def stop(self, graceful: bool = False) -> None:
        """End once no transaction is open. A request that waits for an answer is given up: nothing depends on it.

        A transaction that takes too long is cut off, which rolls it back; until then there is time to give leases back.
        """
        self._ending.value = 1
        self._restarts.stopped()
        grace = self._parts.graceful_shutdown_timeout()
        if self._stop.request(max(grace / 2, grace - LEASE_RELEASE_SECONDS) if grace else None):
            self._ending.value = 0

    def reset(self) -> None:
        """Nothing: on SIGHUP the launcher puts a new process in this one's place."""

    def _show_metrics(self) -> None:
        """Without an exporter usage is collected all the same; each run tries again to have one."""
        if self._exporter is not None:
            return
        failure: exceptions.ConfigurationError | None = None
        try:
            self._exporter = self._parts.exporter()
        except exceptions.ConfigurationError as error:
            failure = error
        if failure is not None:
            LOG.error("There are no metrics until the next run: %s", failure)
        if self._exporter is not None:
            self._exporter.start()

    def _live(self) -> None:
        self._lived.value = time.monotonic()

    def _run(self) -> bool:
        """:returns: whether projects were left to other collectors."""
        self._show_metrics()
        failure: Exception | None = None
        try:
            with self._parts.monitor.run():
                self._collector = self._collector or self._parts.collector(self._stop)
                return bool(self._collector.run().skipped)
        except exceptions.ShutdownRequested:
            LOG.info("The run ends early, because the collector is stopping.")
        except Exception as error:
            # Whatever it is: a collector that stops silently is found out by an empty invoice.
            failure = error
        # Told outside of the except block, or oslo.log would add the exception's text to it again.
        if failure is not None:
            trace = None if isinstance(failure, exceptions.DistilError) else failure
            LOG.error("The run failed, the next one tries again: %s", failure, exc_info=trace)
        return False


def _parent_of(pid: int) -> int | None:
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid:")), None)
