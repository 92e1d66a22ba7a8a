# SPDX-License-Identifier: Apache-2.0
"""Handles the parent's signals: shutdown, reload, and the watchdog in between."""

import datetime
import os
import signal
import threading
import time
from collections.abc import Callable
from collections.abc import Sequence

from oslo_config import cfg
from oslo_log import log

from distil.conf import oslo_service
from distil.daemon.service import CollectorService
from distil.daemon.systemd import Systemd
from distil.monitoring.reload_state import ReloadState

LOG = log.getLogger(__name__)

# oslo.service's own handlers treat these in a way that does not suit a collector.
_SIGNALS = {signal.SIGHUP, signal.SIGINT, signal.SIGTERM}

# Between checks for hung processes.
_POLL_SECONDS = 60.0

_SLOW_RELOAD_SECONDS = 30.0


class SignalManager:
    """Receives signals before oslo.service does, in a thread that waits for them.

    All other threads have the signals blocked, and so have the children, which oslo.service forks from one of them; see
    :meth:`distil.daemon.service.CollectorService.start`.

    :param validate: validates the configuration files before a reload. If it raises, the old configuration stays in
        force. It may block for ever, as the reading of a file can.
    :param reload_state: is told what becomes of each reload.
    :param slow_reload_seconds: after which a reload that has not ended is logged.
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        services: Sequence[CollectorService],
        validate: Callable[[], None],
        reload_state: ReloadState,
        slow_reload_seconds: float = _SLOW_RELOAD_SECONDS,
    ) -> None:
        self._conf = conf
        self._services = services
        self._validate = validate
        self._reload_state = reload_state
        self._slow_reload_seconds = slow_reload_seconds
        self._systemd = Systemd()
        self._reload_requested = threading.Event()
        self._is_reloading = False
        self._deadlines: dict[Callable[[], None], float] = {}

    def start(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        self._schedule(0, self._check_children)
        for name, target in (("signals", self._handle_signals), ("reload", self._handle_reloads)):
            threading.Thread(target=target, name=name, daemon=True).start()

    def _schedule(self, seconds: float, action: Callable[[], None]) -> None:
        self._deadlines[action] = time.monotonic() + seconds

    def _handle_signals(self) -> None:
        while True:
            timeout = max(0.0, min(self._deadlines.values()) - time.monotonic())
            received = signal.sigtimedwait(_SIGNALS, timeout)
            try:
                # oslo.service sends signals to the whole process group, this process included.
                if received is not None and received.si_pid != os.getpid():
                    self._handle(signal.Signals(received.si_signo))
                for action, deadline in list(self._deadlines.items()):
                    if deadline <= time.monotonic():
                        del self._deadlines[action]
                        action()
            except Exception:
                # Without this thread no signal would have an effect.
                LOG.exception("Unexpected error while handling signals; continuing.")
                self._schedule(_POLL_SECONDS, self._check_children)

    def _check_children(self) -> None:
        for service in self._services:
            service.kill_if_hung()
        watchdog_seconds = self._systemd.watchdog_seconds
        if watchdog_seconds:
            self._systemd.heartbeat()
        self._schedule(
            min(watchdog_seconds / 2 if watchdog_seconds else _POLL_SECONDS, _POLL_SECONDS), self._check_children
        )

    def _handle(self, number: signal.Signals) -> None:
        if number == signal.SIGHUP:
            self._reload_requested.set()
            self._schedule(self._slow_reload_seconds, self._warn_of_slow_reload)
            return
        LOG.info("%s received: shutting down after open transactions.", number.name)
        self._systemd.stopping()
        timeout = self._graceful_shutdown_timeout()
        if timeout and self._kill_children not in self._deadlines:
            # A second longer than a child's own limit, so that a child that can stop does.
            self._schedule(timeout + 1, self._kill_children)
        _deliver_to_oslo_service(signal.SIGTERM)

    def _graceful_shutdown_timeout(self) -> float:
        return oslo_service.read_graceful_shutdown_timeout(self._conf)

    def _kill_children(self) -> None:
        """Exit now: a child is stopped, or blocked in the kernel. Its leases expire."""
        timeout = self._graceful_shutdown_timeout()
        LOG.error("graceful_shutdown_timeout (%d seconds) exceeded; killing the remaining processes.", timeout)
        for service in self._services:
            service.kill()
        os._exit(1)

    def _warn_of_slow_reload(self) -> None:
        if self._is_reloading or self._reload_requested.is_set():
            LOG.error(
                "SIGHUP: the configuration has not been read after %d seconds; the old one stays in force. A file may "
                "be a FIFO, or on a file system that does not respond.",
                self._slow_reload_seconds,
            )
            self._refuse("a file may be a FIFO, or on a file system that does not respond")

    def _handle_reloads(self) -> None:
        """In a thread of its own, because reading a file can block."""
        while True:
            self._reload_requested.wait()
            self._is_reloading = True
            self._reload_requested.clear()
            self._reload()
            self._is_reloading = False

    def _reload(self) -> None:
        try:
            self._validate()
        except Exception as error:
            # Whatever cannot be read or used.
            for problem in (str(error) or repr(error)).splitlines():
                LOG.error("SIGHUP: the new configuration is invalid; the old one stays in force: %s", problem)
            self._refuse(str(error) or repr(error))
            return
        self._reload_state.accept()
        LOG.info("SIGHUP: configuration reloaded.")
        self._systemd.reloading()
        _deliver_to_oslo_service(signal.SIGHUP)
        self._systemd.ready()

    def _refuse(self, reason: str) -> None:
        self._reload_state.refuse(datetime.datetime.now(datetime.UTC), reason)


def _deliver_to_oslo_service(number: signal.Signals) -> None:
    """Have oslo.service's handler run."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    signal.pthread_kill(threading.get_ident(), number)
    signal.pthread_sigmask(signal.SIG_BLOCK, {number})
