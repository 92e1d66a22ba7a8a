# SPDX-License-Identifier: Apache-2.0
"""Takes the parent's signals, and passes on what is to be done."""

import os
import signal
import threading
import time
from collections.abc import Callable
from collections.abc import Sequence

from oslo_log import log

from distil.daemon.service import CollectorService
from distil.daemon.systemd import Systemd

LOG = log.getLogger(__name__)

# Those that oslo.service's own handlers treat otherwise than a collector wants it.
SIGNALS = {signal.SIGHUP, signal.SIGINT, signal.SIGTERM}

# Seconds between looks at whether a collector hangs.
POLL_INTERVAL = 60.0

# Seconds that reading the configuration again may take before somebody is told.
SLOW_RELOAD_SECONDS = 30.0


class SignalManager:
    """Takes signals before oslo.service does, in a thread that waits for them.

    All other threads have the signals blocked, and so have the children, which oslo.service forks from one of them;
    see :meth:`distil.daemon.service.CollectorService.start`.

    :param check: looks at the configuration as it is in the files now. Where it raises anything the old one stays in
        force. It may take for ever: a file can block whoever opens it.
    :param grace: seconds that the children have to end on SIGTERM, as it is then; 0: as long as they need.
    """

    def __init__(
        self, services: Sequence[CollectorService], check: Callable[[], None], grace: Callable[[], float]
    ) -> None:
        self._services = services
        self._check = check
        self._grace = grace
        self._systemd = Systemd()
        self._reload = threading.Event()
        self._reading = False
        self._deadlines: dict[Callable[[], None], float] = {}

    def start(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        self._within(0, self._watch)
        for each in (self._usher, self._reloader):
            threading.Thread(target=each, name=each.__name__, daemon=True).start()

    def _within(self, seconds: float, action: Callable[[], None]) -> None:
        self._deadlines[action] = time.monotonic() + seconds

    def _usher(self) -> None:
        while True:
            pause = max(0.0, min(self._deadlines.values()) - time.monotonic())
            received = signal.sigtimedwait(SIGNALS, pause)
            try:
                if received is not None and received.si_pid != os.getpid():
                    # Else oslo.service's own, to the whole process group.
                    self._pass_on(signal.Signals(received.si_signo))
                for action, deadline in list(self._deadlines.items()):
                    if deadline <= time.monotonic():
                        del self._deadlines[action]
                        action()
            except Exception:
                # Without this thread no signal would reach anybody again.
                LOG.exception("A defect in the parent process; it goes on.")
                self._within(POLL_INTERVAL, self._watch)

    def _watch(self) -> None:
        for service in self._services:
            service.kill_if_hung()
        if self._systemd.watchdog:
            self._systemd.alive()
        self._within(
            min(self._systemd.watchdog / 2 if self._systemd.watchdog else POLL_INTERVAL, POLL_INTERVAL), self._watch
        )

    def _pass_on(self, number: signal.Signals) -> None:
        if number == signal.SIGHUP:
            self._reload.set()
            self._within(SLOW_RELOAD_SECONDS, self._tell_of_slow_reload)
            return
        LOG.info("%s: no new window is begun, and open transactions end.", number.name)
        self._systemd.stopping()
        grace = self._grace()
        if grace and self._end not in self._deadlines:
            # A second more than a child gives itself, so that who can end on their own do.
            self._within(grace + 1, self._end)
        _raise(signal.SIGTERM)

    def _end(self) -> None:
        """End now: a child is stopped, or in the kernel for ever. Its lease expires."""
        LOG.error("graceful_shutdown_timeout (%d seconds) is over: what has not ended is killed.", self._grace())
        for service in self._services:
            service.kill()
        os._exit(1)

    def _tell_of_slow_reload(self) -> None:
        if self._reading or self._reload.is_set():
            LOG.error(
                "SIGHUP: the old configuration stays in force for now: the files of the new one are still being read. "
                "Is one of them a FIFO, or on a file system that does not answer?"
            )

    def _reloader(self) -> None:
        """In a thread of its own, because files can block whoever opens them."""
        while True:
            self._reload.wait()
            self._reading = True
            self._reload.clear()
            self._read_again()
            self._reading = False

    def _read_again(self) -> None:
        try:
            self._check()
        except Exception as error:
            # Whatever it is that cannot be read or used.
            problems = str(error) or repr(error)
        else:
            LOG.info("SIGHUP: the configuration is read again.")
            self._systemd.reloading()
            _raise(signal.SIGHUP)
            self._systemd.ready()
            return
        for problem in problems.splitlines():
            LOG.error("SIGHUP: the old configuration stays in force, because the new one is wrong: %s", problem)


def _raise(number: signal.Signals) -> None:
    """Let oslo.service's handler have a signal."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    signal.pthread_kill(threading.get_ident(), number)
    signal.pthread_sigmask(signal.SIG_BLOCK, {number})
