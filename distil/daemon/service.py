# SPDX-License-Identifier: Apache-2.0
"""A collector process, as a service of oslo.service."""

import contextlib
import datetime
import os
import pathlib
import signal
import time
from collections.abc import Callable
from multiprocessing.sharedctypes import RawArray
from multiprocessing.sharedctypes import RawValue

from oslo_config import cfg
from oslo_log import log
from oslo_service.backend.base import ServiceBase
from setproctitle import setproctitle

from distil import exceptions
from distil.cloud.outage import scheduled_patience
from distil.collector.run import Collector
from distil.collector.shutdown import Shutdown
from distil.coordination.leases import RELEASE_TIMEOUT_SECONDS
from distil.daemon.timer import Timer
from distil.db import leases
from distil.exporter.server import Exporter
from distil.factory.collector import CollectorFactory

LOG = log.getLogger(__name__)

# Longer than anything that a collector waits for without a heartbeat.
_HANG_TIMEOUT_SECONDS = 1800.0

# By then the leases of a collector that died have expired.
_RECHECK_AFTER = datetime.timedelta(seconds=leases.LEASE_SECONDS + 10)

# The part of graceful_shutdown_timeout in which leases are released.
_LEASE_RELEASE_RESERVE_SECONDS = RELEASE_TIMEOUT_SECONDS + 1

# A process that has run this long was healthy; its death is not counted as a repeated one.
_STABLE_AFTER_SECONDS = 60.0
_MAX_RESPAWN_DELAY_SECONDS = 300.0


class RespawnBackoff:
    """Delays the processes of a service that exit soon after their start.

    Made by the parent before it forks; each child calls :meth:`delay`.
    """

    def __init__(self) -> None:
        # Early exits in a row, and when the last process started its work (CLOCK_MONOTONIC; 0: it never did, or it was
        # stopped). Shared without a lock, which a killed process might hold for ever; only one process writes.
        self._history = RawArray("d", 2)

    def delay(self) -> float:
        """Seconds to wait before working: 0, or 1, 2, 4... after early exits of the previous processes."""
        early_exits, started = self._history
        now = time.monotonic()
        early_exits = early_exits + 1 if started and now - started < _STABLE_AFTER_SECONDS else 0
        delay = min(2 ** (early_exits - 1), _MAX_RESPAWN_DELAY_SECONDS) if early_exits else 0.0
        self._history[:] = [early_exits, now + delay]
        return float(delay)

    def stopped(self) -> None:
        """This process exits because it was asked to."""
        self._history[:] = [0, 0]


class CollectorService(ServiceBase):  # type: ignore[misc]
    """Runs a collector at its interval until it is stopped.

    The parent makes it. Threads and connections, which do not survive a fork, are made in the child.

    :param clock: the time, aware and in UTC.
    :param title: the collector and the worker, as ``ps`` shows the child.
    """

    def __init__(self, factory: CollectorFactory, clock: Callable[[], datetime.datetime], title: str) -> None:
        self._factory = factory
        self._clock = clock
        self._title = title
        self._shutdown = Shutdown(on_heartbeat=self._heartbeat)
        self._backoff = RespawnBackoff()
        # Shared with the child, without a lock, which a killed process might hold for ever.
        self._last_heartbeat = RawValue("d", 0.0)
        self._pid = RawValue("i", 0)
        self._is_stopping = RawValue("b", 0)
        self._collector: Collector | None = None
        self._exporter: Exporter | None = None

    def kill_if_hung(self) -> None:
        """Kill a child that has had no heartbeat for long, so that it is replaced. Called by the parent."""
        heartbeat = self._last_heartbeat.value
        if not heartbeat or time.monotonic() - heartbeat <= _HANG_TIMEOUT_SECONDS:
            return
        self._last_heartbeat.value = 0.0
        pid = self.kill()
        if pid is not None:
            LOG.error(
                "Process %d has been unresponsive for %d seconds; killing and replacing it.", pid, _HANG_TIMEOUT_SECONDS
            )

    def kill(self) -> int | None:
        """Kill the child if there is one, and return its process id. Called by the parent."""
        pid: int = self._pid.value
        if _parent_of(pid) != os.getpid():
            return None
        with contextlib.suppress(ProcessLookupError):  # it has just exited
            os.kill(pid, signal.SIGKILL)
        return pid

    @property
    def was_killed(self) -> bool:
        """Whether the last child was killed while it was stopping, with a transaction open. Called by the parent."""
        return bool(self._is_stopping.value)

    def start(self) -> None:
        self._heartbeat()
        setproctitle(f"distil-collector: {self._title}")
        # The parent has them blocked. SIGINT stays blocked: from a terminal it is for the parent alone.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP, signal.SIGTERM})
        self._pid.value = os.getpid()
        self._is_stopping.value = 0
        self._factory.reload_logging()
        delay = self._backoff.delay()
        if delay:
            LOG.warning("The previous process exited early; this one starts in %.0f seconds.", delay)
            self._shutdown.wait(delay)
        self._factory = self._reread_factory()
        self._start_exporter()

    def wait(self) -> None:
        timer = Timer(self._factory.interval(), self._shutdown, self._clock, _RECHECK_AFTER)
        self._factory.monitor.set_next_run(timer.next_start)
        while not self._shutdown.requested:
            timer.wait(has_skipped_projects=self._run())

    def stop(self, graceful: bool = False) -> None:
        """Stop once no transaction is open. A pending request is abandoned.

        A transaction that takes too long is cut off, which rolls it back, early enough to release the leases.
        """
        self._is_stopping.value = 1
        self._backoff.stopped()
        timeout = self._factory.graceful_shutdown_timeout()
        if self._shutdown.request(max(timeout / 2, timeout - _LEASE_RELEASE_RESERVE_SECONDS) if timeout else None):
            self._is_stopping.value = 0

    def reset(self) -> None:
        """Does nothing: on SIGHUP the launcher replaces the process."""

    def _reread_factory(self) -> CollectorFactory:
        """The factory with the options as they are now: they may have been reloaded since the parent made it."""
        try:
            return self._factory.reread()
        except cfg.Error as error:
            # The files changed after the parent had validated them. Only another reload can help.
            LOG.error("The configuration that was reloaded is invalid; nothing is collected until SIGHUP: %s", error)
            raise

    def _start_exporter(self) -> None:
        """Start the exporter unless it runs. Usage is collected without it, and each run tries again."""
        if self._exporter is not None:
            return
        try:
            self._exporter = self._factory.exporter()
        except exceptions.ConfigurationError as error:
            LOG.error("The exporter could not start; retrying in the next run: %s", error)
        if self._exporter is not None:
            self._exporter.start()

    def _heartbeat(self) -> None:
        self._last_heartbeat.value = time.monotonic()

    def _run(self) -> bool:
        """:returns: whether projects were left to other collectors."""
        self._start_exporter()
        try:
            with self._factory.monitor.run():
                if self._collector is None:
                    patience = scheduled_patience(self._factory.interval())
                    self._collector = self._factory.collector(self._shutdown, patience)
                self._collector.run()
        except exceptions.ShutdownRequested:
            LOG.info("The run was interrupted by the shutdown.")
        except exceptions.DistilError as error:
            LOG.error("The run failed; retrying in the next run: %s", error)
        except Exception:
            # Whatever the defect: the process must go on, or usage would be missing from the invoices.
            LOG.exception("The run failed; retrying in the next run.")
        self._recheck()
        return bool(self._factory.monitor.result.skipped)

    def _recheck(self) -> None:
        """Recheck earlier windows, in the first half of the interval. The run has ended, and nothing depends on it."""
        if self._collector is None or self._shutdown.requested:
            return
        try:
            self._collector.recheck(self._factory.monitor.result.started + self._factory.interval() / 2)
        except exceptions.ShutdownRequested:
            LOG.info("The recheck of collected windows was interrupted by the shutdown.")
        except Exception:
            LOG.exception("Collected windows could not be rechecked; retrying after the next run.")


def _parent_of(pid: int) -> int | None:
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid:")), None)
