# SPDX-License-Identifier: Apache-2.0
"""The parent of the collectors' processes."""

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

LOG = log.getLogger(__name__)


def launch(conf: cfg.ConfigOpts, services: Sequence[CollectorService], check: Callable[[], None]) -> bool:
    """Run each service in a process of its own, which is replaced when it dies, until a signal ends this one.

    SIGTERM and SIGINT let the processes end. SIGHUP reads the configuration again and puts new processes in the place
    of the old ones.

    :param check: looks at the configuration as it is in the files now. Where it raises anything the old one stays in
        force.
    :returns: whether all of them ended of their own, with no transaction cut off.
    """
    compat.without_eventlet()
    backend.init_backend(backend.BackendType.THREADING)
    # Importing this chooses a backend, eventlet unless another one has been chosen before.
    from oslo_service import service as oslo_service  # noqa: PLC0415

    threading.excepthook = functools.partial(_end_with_a_thread, os.getpid())
    launcher = oslo_service.ProcessLauncher(conf)
    usher = SignalManager(services, check, lambda: conf.graceful_shutdown_timeout)
    for service in services:
        launcher.launch_service(service)
    # After launch_service, which sets a title of its own.
    setproctitle(f"distil-collector: parent [{shlex.join(sys.argv)}]")
    usher.start()
    with contextlib.suppress(SystemExit):  # of status 0, whatever became of the processes
        launcher.wait()
    return not any(service.was_killed for service in services)


def _end_with_a_thread(parent: int, failure: threading.ExceptHookArgs) -> None:
    """A thread of the parent has died: oslo.service's, if it could not fork, and nobody would replace a child again.

    The parent ends with status 1, for systemd or the container's runtime to start it anew; its children notice and end
    as on SIGTERM. In a child nothing depends on any thread but the collector's own.
    """
    trace = None if failure.exc_value is None else (failure.exc_type, failure.exc_value, failure.exc_traceback)
    try:
        LOG.critical("A thread has died: %s", failure.exc_value, exc_info=trace)
    finally:
        if os.getpid() == parent:
            os._exit(1)
