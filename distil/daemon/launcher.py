# SPDX-License-Identifier: Apache-2.0
"""The parent of the collector processes."""

import contextlib
import functools
import os
import shlex
import sys
import threading
from collections.abc import Callable
from collections.abc import Sequence

from oslo_config import cfg
from oslo_log import log
from oslo_service import backend
from setproctitle import setproctitle

from distil import compat
from distil.daemon.service import CollectorService
from distil.daemon.signals import SignalManager
from distil.monitoring.reload_state import ReloadState

LOG = log.getLogger(__name__)


def launch(
    conf: cfg.ConfigOpts,
    services: Sequence[CollectorService],
    validate: Callable[[], None],
    reload_state: ReloadState,
) -> bool:
    """Run each service in a process of its own, which is replaced when it dies, until a signal stops this one.

    SIGTERM and SIGINT stop the processes. SIGHUP reloads the configuration and replaces the processes.

    :param validate: validates the configuration files before a reload. If it raises, the old configuration stays in
        force.
    :param reload_state: is told what becomes of each reload.
    :returns: whether all processes stopped by themselves, without a transaction being cut off.
    """
    compat.without_eventlet()
    backend.init_backend(backend.BackendType.THREADING)
    # Importing this chooses a backend: eventlet, unless another one is chosen already.
    from oslo_service import service as oslo_service  # noqa: PLC0415

    threading.excepthook = functools.partial(_exit_on_thread_failure, os.getpid())
    launcher = oslo_service.ProcessLauncher(conf)
    signal_manager = SignalManager(conf, services, validate, reload_state)
    for service in services:
        launcher.launch_service(service)
    # After launch_service, which sets a title of its own.
    setproctitle(f"distil-collector: parent [{shlex.join(sys.argv)}]")
    signal_manager.start()
    with contextlib.suppress(SystemExit):  # with status 0, whatever happened to the processes
        launcher.wait()
    return not any(service.was_killed for service in services)


def _exit_on_thread_failure(parent: int, failure: threading.ExceptHookArgs) -> None:
    """Exit with status 1 if a thread of the parent has failed, so that systemd or the container runtime restarts it.

    It may be oslo.service's, which could not fork and would replace no child any more. The children notice and exit as
    on SIGTERM. In a child nothing depends on any thread except the collector's own.
    """
    trace = None if failure.exc_value is None else (failure.exc_type, failure.exc_value, failure.exc_traceback)
    try:
        LOG.critical("A thread failed: %s", failure.exc_value, exc_info=trace)
    finally:
        if os.getpid() == parent:
            os._exit(1)
