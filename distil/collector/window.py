# SPDX-License-Identifier: Apache-2.0
"""One window of one project: samples in, usage entries out, once."""

import dataclasses
import time
from collections.abc import Sequence

import tenacity
from oslo_log import log

from distil import exceptions
from distil import model
from distil.collector import explaining
from distil.collector.distros import AskDistro
from distil.collector.distros import annotate_os_distro
from distil.collector.retrying import retrying
from distil.collector.samples import SampleFetcher
from distil.collector.samples import Samples
from distil.collector.shutdown import Shutdown
from distil.coordination.leases import Partitioner
from distil.db.store import Store
from distil.monitoring.history import History
from distil.monitoring.history import RejectionEvent
from distil.monitoring.metrics import STEP_WINDOW
from distil.monitoring.metrics import Metrics
from distil.rating.rate import RatedWindow
from distil.rating.rate import RatingRules
from distil.rating.rate import rate
from distil.text import pluralize
from distil.transformers.lookups import Lookups
from distil.transformers.lookups import RecordingLookups

LOG = log.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tools:
    """What it takes to collect a window. Threads may share it."""

    questions: SampleFetcher
    rules: RatingRules
    lookups: Lookups
    os_distro: AskDistro
    store: Store
    sharing: Partitioner
    metrics: Metrics
    history: History
    stop: Shutdown


class ProjectCollector:
    """A project while it is held: collects its windows, oldest first."""

    def __init__(self, tools: Tools, project: model.Project) -> None:
        self.project = project
        self._tools = tools
        self._stored = tools.store.project(project.id)
        self._attempts = retrying(tools.stop, self._say)

    def collect(self, window: model.Window, samples: Samples | None = None) -> RatedWindow:
        """Collect a window, with a few attempts.

        :param samples: the answer to a question that was about more; None, and after a failure, this asks.
        :raises ServiceError: no attempt succeeded. Nothing was stored.
        :raises ProjectTaken: another collector has the project by now. Nothing was stored.
        :raises WindowTaken: the window had been committed already.
        :raises Stopped: the collector is stopping. Nothing was stored.
        """
        return self._attempts(self._collect, window, [] if samples is None else [samples])

    def _collect(self, window: model.Window, answers: list[Samples]) -> RatedWindow:
        tools, project = self._tools, self.project
        if tools.stop.requested:
            raise exceptions.ShutdownRequested("the collector is stopping")
        tools.sharing.renew(project.id)
        samples = answers.pop() if answers else tools.questions.fetch(project.id, window)
        recorder = RecordingLookups(tools.lookups) if explaining.explain_enabled() else None
        rated = rate(tools.rules, samples, window, recorder.lookups if recorder else tools.lookups)
        resources = self._with_os_distro(rated)
        with tools.stop.transaction():
            began = time.perf_counter()
            self._stored.commit(window, rated.usage, resources, rated.rejected)
        tools.metrics.committed(project.id, window, rated, time.perf_counter() - began)
        if recorder:
            explaining.log_explanation(tools.rules, samples, window, recorder.answers)
        if rated.rejected:
            self._tell_of_rejected(window, rated.rejected)
        return rated

    def _tell_of_rejected(self, window: model.Window, rejected: Sequence[model.RejectedSample]) -> None:
        project, first, number = self.project, rejected[0], len(rejected)
        self._tools.history.add_rejection(RejectionEvent(project.id, first.meter, str(window), number, first.reason))
        LOG.warning(
            "Project %s (%s): window %s: %s rejected and kept, with reasons; the first, of %s: %s",
            project.id,
            project.name,
            window,
            pluralize(number, "sample was", "samples were"),
            first.meter,
            first.reason,
        )

    def _with_os_distro(self, rated: RatedWindow) -> Sequence[model.Resource]:
        known = self._stored.resource_info([resource.id for resource in rated.resources])
        return annotate_os_distro(self._tools.os_distro, rated.instances, known, rated.resources)

    def _say(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        number, window = state.attempt_number, state.args[0]
        LOG.warning(
            "Project %s (%s): window %s: attempt %d failed: %s",
            self.project.id,
            self.project.name,
            window,
            number,
            error,
        )
        self._tools.metrics.retries.labels(STEP_WINDOW).inc()
