# SPDX-License-Identifier: Apache-2.0
"""The collector as a process of oslo.service."""

import datetime
import logging
from collections.abc import Callable

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

    :param assemble: makes the collector and, where there is to be one, its exporter. It is called in the child
        process: a thread or a connection made before the fork would not survive it.
    """

    def __init__(
        self,
        assemble: Callable[[Stop], tuple[Collector, Exporter | None]],
        interval: datetime.timedelta,
        clock: Callable[[], datetime.datetime],
    ) -> None:
        self._assemble = assemble
        self._interval = interval
        self._clock = clock
        self._stop = Stop()
        self._collector: Collector | None = None

    def start(self) -> None:
        self._collector, exporter = self._assemble(self._stop)
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
        if self._collector is None:
            raise RuntimeError("start() comes before wait()")
        try:
            self._collector.run()
        except exceptions.Stopped:
            LOG.info("The run ends early, because the collector is stopping.")
        except Exception as error:
            # Whatever it is: a collector that stops silently is found out by an empty invoice.
            unexpected = not isinstance(error, exceptions.DistilError)
            LOG.log(logging.ERROR, "The run failed, the next one tries again: %s", error, exc_info=unexpected)


def launch(conf: cfg.ConfigOpts, service: CollectorService) -> None:
    """Run the service in a child process, which is replaced when it dies, until a signal ends this one."""
    backend.init_backend(backend.BackendType.THREADING)
    # Importing this chooses a backend, eventlet unless another one has been chosen before.
    from oslo_service import service as oslo_service  # noqa: PLC0415

    launcher = oslo_service.ProcessLauncher(conf)
    launcher.launch_service(service)
    launcher.wait()
