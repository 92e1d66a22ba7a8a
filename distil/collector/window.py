# SPDX-License-Identifier: Apache-2.0
"""One window of one project: samples in, usage entries out, once."""

import dataclasses
import random
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping

import tenacity
from oslo_log import log

from distil import exceptions
from distil import model
from distil.collector.attempts import attempts
from distil.collector.sharing import Sharing
from distil.collector.stop import Stop
from distil.db.store import Store
from distil.exporter.metrics import Metrics
from distil.rating.rate import Rated
from distil.rating.rate import Rules
from distil.rating.rate import rate
from distil.telemetry.base import TelemetryDriver
from distil.transformers.lookups import Lookups

LOG = log.getLogger(__name__)

_Sample = model.Sample | model.RejectedSample

OS_DISTRO = "os_distro"

# Machines without an answer after which a window asks for no more: with a service that hangs each costs its time-out.
_PATIENCE = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class WindowCollector:
    """Collects windows.

    :param os_distro: (server id, the sample's image_ref_url) -> distribution of a virtual machine.
    """

    telemetry: TelemetryDriver
    rules: Rules
    lookups: Lookups
    os_distro: Callable[[str, object], str]
    store: Store
    sharing: Sharing
    metrics: Metrics
    stop: Stop

    def collect(self, project: model.Project, window: model.Window) -> Rated:
        """Collect a window, with a few attempts.

        :raises ServiceError: no attempt succeeded. Nothing was stored.
        :raises ProjectTaken: another collector has the project by now. Nothing was stored.
        :raises WindowTaken: the window had been committed already.
        :raises Stopped: the collector is stopping. Nothing was stored.
        """
        return attempts(self.stop, _say)(self._collect, project, window)

    def _collect(self, project: model.Project, window: model.Window) -> Rated:
        if self.stop.requested:
            raise exceptions.Stopped("the collector is stopping")
        self.sharing.renew(project.id)
        samples = self.telemetry.samples([project.id], self.rules.meters, window.start, window.end)
        rated = rate(self.rules, self._living(samples), window, self.lookups)
        resources = self._with_os_distro(project, rated)
        with self.stop.transaction():
            self.store.commit(project.id, window, rated.usage, resources, rated.rejected)
        self.metrics.count_usage(project.id, rated.usage)
        if rated.rejected:
            LOG.warning(
                "Project %s: window %s: %d samples were rejected and are kept, with reasons; the first, of %s: %s",
                project.id, window, len(rated.rejected), rated.rejected[0].meter, rated.rejected[0].reason,
            )  # fmt: skip
        return rated

    def _living(self, samples: Iterable[_Sample]) -> Iterator[_Sample]:
        """The samples, with a sign of life for each: a window may take long without anything hanging."""
        for sample in samples:
            self.stop.live()
            yield sample

    def _with_os_distro(self, project: model.Project, rated: Rated) -> list[model.Resource]:
        if not rated.machines:
            return list(rated.resources)
        distros = self._distros(rated.machines, self.store.resource_info(project.id, rated.machines))
        return [
            model.Resource(resource.id, {**resource.info, OS_DISTRO: distros[resource.id]})
            if resource.id in distros
            else resource
            for resource in rated.resources
        ]

    def _distros(
        self, machines: Mapping[str, model.Sample], known: Mapping[str, Mapping[str, object]]
    ) -> dict[str, str]:
        """The distributions of the machines that have none yet, as far as there are answers.

        The distribution decides about licence fees: without an answer none is stored, and the next window asks again.
        """
        distros: dict[str, str] = {}
        failures: list[exceptions.LookupUnavailable] = []
        wanted = [resource_id for resource_id in machines if OS_DISTRO not in known.get(resource_id, {})]
        # In another order each time, lest the same few machines keep all others from their turn.
        for resource_id in random.sample(wanted, len(wanted)):
            sample = machines[resource_id]
            self.stop.live()
            try:
                distros[resource_id] = self.os_distro(sample.resource_id, sample.metadata.get("image_ref_url"))
            except exceptions.LookupUnavailable as error:
                failures.append(error)
                if len(failures) >= _PATIENCE:
                    break
        for failure in failures:
            LOG.warning("The os_distro of a new virtual machine waits for the next window: %s", failure)
        return distros


def _say(state: tenacity.RetryCallState) -> None:
    project, window = state.args
    error = state.outcome.exception() if state.outcome else None
    LOG.warning("Project %s: window %s: attempt %d failed: %s", project.id, window, state.attempt_number, error)
