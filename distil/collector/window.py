# SPDX-License-Identifier: Apache-2.0
"""Collects one window of one project: samples, rating, commit, monitoring."""

import time
from collections.abc import Sequence

from oslo_log import log

from distil import model
from distil.cloud.os_distro import OsDistros
from distil.cloud.os_distro import annotate_os_distro
from distil.collector.guard import MeterGuard
from distil.collector.plan import Plan
from distil.collector.retrying import RetryPolicy
from distil.collector.samples import SampleFetcher
from distil.collector.shutdown import Shutdown
from distil.coordination.leases import Partitioner
from distil.db.documents import DocumentKind
from distil.db.documents import Documents
from distil.db.project_store import ProjectStore
from distil.db.receipts import NewReceipt
from distil.monitoring.explanation_log import explain_enabled
from distil.monitoring.explanation_log import log_explanation
from distil.monitoring.metrics import RetryStep
from distil.monitoring.run import RunMonitor
from distil.rating.rate import RatingRules
from distil.rating.rate import rate
from distil.rating.receipt import make_receipt
from distil.text import pluralize
from distil.transformers.lookups import Lookups
from distil.transformers.lookups import RecordingLookups

LOG = log.getLogger(__name__)

_Samples = Sequence[model.Sample | model.RejectedSample]


class WindowCollector:
    """Collects windows. Threads share it.

    :param rules_document: the rules as text, which receipts refer to.
    """

    def __init__(
        self,
        *,
        fetcher: SampleFetcher,
        rules: RatingRules,
        rules_document: str,
        documents: Documents,
        lookups: Lookups,
        os_distros: OsDistros,
        partitioner: Partitioner,
        monitor: RunMonitor,
        retry_policy: RetryPolicy,
        shutdown: Shutdown,
        plan: Plan,
        guard: MeterGuard,
    ) -> None:
        self._fetcher = fetcher
        self._rules = rules
        self._rules_document = rules_document
        self._documents = documents
        self._lookups = lookups
        self._os_distros = os_distros
        self._partitioner = partitioner
        self._monitor = monitor
        self._retry_policy = retry_policy
        self._shutdown = shutdown
        self._plan = plan
        self._guard = guard

    def collect(
        self, project: model.Project, store: ProjectStore, window: model.Window, samples: _Samples | None
    ) -> model.RatedWindow:
        """Collect a window, with a few attempts.

        :param store: that of the project.
        :param samples: those of the window for the first attempt; None, and later attempts, fetch them.
        :raises ServiceError: no attempt succeeded; nothing was stored.
        :raises ProjectReassigned: another collector has the project by now; nothing was stored.
        :raises WindowAlreadyCommitted: another collector has stored the window.
        :raises WindowDeferred: it depends on windows of other projects; nothing was stored.
        :raises MetersVanished: it is held; nothing was stored.
        :raises ShutdownRequested: nothing was stored.
        """
        subject = f"Project {project.id} ({project.name}): window {window}"
        for attempt in self._retry_policy.attempts(RetryStep.WINDOW, subject):
            with attempt:
                first = attempt.retry_state.attempt_number == 1
                rated = self._collect(project, store, window, samples if first else None)
        return rated

    def _collect(
        self, project: model.Project, store: ProjectStore, window: model.Window, samples: _Samples | None
    ) -> model.RatedWindow:
        self._shutdown.heartbeat()
        self._shutdown.raise_if_requested()
        self._partitioner.renew(project.id)
        if samples is None:
            samples = self._fetcher.fetch(project.id, window)
        names = RecordingLookups(self._lookups)
        rated = rate(self._rules, samples, window, names.lookups)
        contents = make_receipt(samples, rated)
        suspect = self._guard.check(project.id, window, contents.meters)
        resources = self._annotated(store, rated)
        receipt = self._receipt(contents, names, suspect)
        with self._shutdown.transaction():
            started = time.perf_counter()
            until = None if rated.is_empty else self._plan.departed_until(window.end)
            store.commit(window, rated.usage, resources, rated.rejected, until, receipt)
        self._guard.committed(project.id, window, contents.meters)
        self._monitor.committed(project, window, rated, time.perf_counter() - started, suspect=suspect is not None)
        self._monitor.delivered(samples)
        if explain_enabled():
            log_explanation(self._rules, samples, window, names.answers)
        if suspect:
            _log_suspect(project, window, suspect)
        if rated.rejected:
            _log_rejected(project, window, rated.rejected)
        if changed := rated.duplicates.get(model.DuplicateContent.CHANGED):
            _log_changed(project, window, changed)
        return rated

    def _receipt(self, contents: model.Receipt, names: RecordingLookups, suspect: str | None) -> NewReceipt:
        rules = self._documents.store(DocumentKind.RULES, self._rules_document)
        return NewReceipt(contents, rules, self._documents.store(DocumentKind.NAMES, names.document), suspect)

    def _annotated(self, store: ProjectStore, rated: model.RatedWindow) -> Sequence[model.Resource]:
        stored = store.resource_info([resource.id for resource in rated.resources])
        return annotate_os_distro(self._os_distros, rated.instances, stored, rated.resources)


def _log_rejected(project: model.Project, window: model.Window, rejected: Sequence[model.RejectedSample]) -> None:
    LOG.warning(
        "Project %s (%s): window %s: %s rejected and kept for a retry; the first, of meter %s: %s",
        project.id,
        project.name,
        window,
        pluralize(len(rejected), "sample"),
        rejected[0].meter,
        rejected[0].reason,
    )


def _log_suspect(project: model.Project, window: model.Window, suspect: str) -> None:
    LOG.warning(
        "Project %s (%s): window %s: billed as suspect, because usage may be missing: %s",
        project.id,
        project.name,
        window,
        suspect,
    )


def _log_changed(project: model.Project, window: model.Window, samples: int) -> None:
    LOG.warning(
        "Project %s (%s): window %s: %s not billed, because another with its message ID but other content was recorded"
        " later",
        project.id,
        project.name,
        window,
        pluralize(samples, "sample"),
    )
