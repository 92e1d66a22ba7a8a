# SPDX-License-Identifier: Apache-2.0
"""The collector as a process of oslo.service."""

import datetime
import sys
import types
from collections.abc import Callable
from typing import cast

from oslo_config import cfg
from oslo_log import log
from oslo_service import backend
from oslo_service.backend.base import ServiceBase

from distil import exceptions
from distil.collector.run import Collector
from distil.collector.schedule import repeat
from distil.collector.stop import Stop
from distil.exporter.server import Exporter

LOG = log.getLogger(__name__)


class CollectorService(ServiceBase):  # type: ignore[misc]
    """Runs a collector at its interval until it is stopped.

    Both factories are called in the child process: a thread or a connection made before the fork would not survive it.

    :param open_exporter: makes the exporter, or None where there is to be none.
    :param assemble: makes the collector. Where it fails the run does, and the next one tries again.
    :param clock: the time, aware and in UTC.
    """

    def __init__(
        self,
        open_exporter: Callable[[], Exporter | None],
        assemble: Callable[[Stop], Collector],
        interval: datetime.timedelta,
        clock: Callable[[], datetime.datetime],
    ) -> None:
        self._open_exporter = open_exporter
        self._assemble = assemble
        self._interval = interval
        self._clock = clock
        self._stop = Stop()
        self._collector: Collector | None = None

    def start(self) -> None:
        exporter = self._open_exporter()
        if exporter is not None:
            exporter.start()

    def wait(self) -> None:
        repeat(self._run, self._interval, self._stop, self._clock)

    def stop(self, graceful: bool = False) -> None:
        """End once no transaction is open. A request that waits for an answer is given up: nothing depends on it."""
        self._stop.request()

    def reset(self) -> None:
        """Nothing: on SIGHUP the launcher puts a new process in this one's place."""

    def _run(self) -> None:
        failure: Exception | None = None
        try:
            self._collector = self._collector or self._assemble(self._stop)
            self._collector.run()
        except exceptions.Stopped:
            LOG.info("The run ends early, because the collector is stopping.")
        except Exception as error:
            # Whatever it is: a collector that stops silently is found out by an empty invoice.
            failure = error
        # Told outside of the except block, or oslo.log would add the exception's text to it again.
        if failure is not None:
            trace = None if isinstance(failure, exceptions.DistilError) else failure
            LOG.error("The run failed, the next one tries again: %s", failure, exc_info=trace)


def launch(conf: cfg.ConfigOpts, service: CollectorService) -> None:
    """Run the service in a child process, which is replaced when it dies, until a signal ends this one."""
    # oslo.service installs eventlet and futurist imports it where it is installed, warning included. Nothing here
    # needs it: to every import from now on it is not there.
    sys.modules.setdefault("eventlet", cast("types.ModuleType", None))
    backend.init_backend(backend.BackendType.THREADING)
    # Importing this chooses a backend, eventlet unless another one has been chosen before.
    from oslo_service import service as oslo_service  # noqa: PLC0415

    launcher = oslo_service.ProcessLauncher(conf)
    launcher.launch_service(service)
    launcher.wait()
