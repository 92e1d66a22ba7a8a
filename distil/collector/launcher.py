# SPDX-License-Identifier: Apache-2.0
"""The parent of the collectors' processes."""

import functools
import os
import signal
import threading
from collections.abc import Callable
from collections.abc import Sequence

from oslo_config import cfg
from oslo_log import log
from oslo_service import backend

from distil.collector import threads
from distil.collector.service import CollectorService
from distil.collector.systemd import Systemd

LOG = log.getLogger(__name__)

# Those that oslo.service's own handlers treat otherwise than a collector wants it.
SIGNALS = {signal.SIGHUP, signal.SIGINT, signal.SIGTERM}

# Seconds between looks at whether a collector hangs.
_GLANCE = 60.0


def launch(conf: cfg.ConfigOpts, services: Sequence[CollectorService], check: Callable[[], None]) -> None:
    """Run each service in a process of its own, which is replaced when it dies, until a signal ends this one.

    SIGTERM and SIGINT let the processes end; this one then exits with status 0. SIGHUP reads the configuration again
    and puts new processes in the place of the old ones.

    :param check: looks at the configuration as it is in the files now. Where it raises anything the old one stays in
        force.
    """
    threads.without_eventlet()
    backend.init_backend(backend.BackendType.THREADING)
    # Importing this chooses a backend, eventlet unless another one has been chosen before.
    from oslo_service import service as oslo_service  # noqa: PLC0415

    threading.excepthook = functools.partial(_end_with_a_thread, os.getpid())
    usher = _Usher(services, check, Systemd())
    launcher = oslo_service.ProcessLauncher(conf)
    for service in services:
        launcher.launch_service(service)
    usher.start()
    launcher.wait()


def _end_with_a_thread(parent: int, failure: threading.ExceptHookArgs) -> None:
    """A thread of the parent has died: oslo.service's, if it could not fork, and nobody would replace a child again.

    The parent ends with status 1, for systemd or the container's runtime to start it anew; its children notice and end
    as on SIGTERM. In a child nothing depends on any thread but the collector's own.
    """
    trace = None if failure.exc_value is None else (failure.exc_type, failure.exc_value, failure.exc_traceback)
    LOG.critical("A thread has died: %s", failure.exc_value, exc_info=trace)
    if os.getpid() == parent:
        os._exit(1)


class _Usher:
    """Takes signals before oslo.service does, from a thread that waits for them, and passes on what is to be done.

    All other threads have the signals blocked, and so have the children, which oslo.service forks from one of them;
    see :meth:`distil.collector.service.CollectorService.start`.
    """

    def __init__(self, services: Sequence[CollectorService], check: Callable[[], None], systemd: Systemd) -> None:
        self._services = services
        self._check = check
        self._systemd = systemd

    def start(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        threading.Thread(target=self._usher, name="usher", daemon=True).start()

    def _usher(self) -> None:
        pause = min(self._systemd.watchdog / 2 if self._systemd.watchdog else _GLANCE, _GLANCE)
        while True:
            received = signal.sigtimedwait(SIGNALS, pause)
            try:
                if received is None:
                    self._watch()
                elif received.si_pid != os.getpid():  # else oslo.service's own, to the whole process group
                    self._pass_on(signal.Signals(received.si_signo))
            except Exception:
                # Without this thread no signal would reach anybody again.
                LOG.exception("A defect in the parent process; it goes on.")

    def _watch(self) -> None:
        for service in self._services:
            service.end_if_it_hangs()
        if self._systemd.watchdog:
            self._systemd.alive()

    def _pass_on(self, number: signal.Signals) -> None:
        if number == signal.SIGHUP:
            self._reload()
            return
        LOG.info("%s: no new window is begun, and open transactions end.", number.name)
        self._systemd.stopping()
        _raise(signal.SIGTERM)

    def _reload(self) -> None:
        try:
            self._check()
        except Exception as error:
            # Whatever it is that cannot be read or used: this thread lives on, or no signal ever reached anybody again.
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
