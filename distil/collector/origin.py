# SPDX-License-Identifier: Apache-2.0
"""Whether a collector may continue where a project's collection has stopped: the same telemetry, and the same rules."""

import shlex
import threading
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime

from oslo_log import log

from distil import exceptions
from distil import model
from distil.db.store import Store
from distil.telemetry.driver import TelemetryDriver
from distil.text import pluralize

LOG = log.getLogger(__name__)


class Origin:
    """What a process collects from and by. Threads share it.

    :param driver_name: of the telemetry driver.
    :param collector: name of the collector.
    :param rules: digest of its rules.
    """

    def __init__(self, telemetry: TelemetryDriver, driver_name: str, collector: str, rules: str) -> None:
        self._telemetry = telemetry
        self._driver_name = driver_name
        self._collector = collector
        self._rules = rules
        self._lock = threading.Lock()
        self._resolved: model.CollectedBy | None = None

    @property
    def resolved(self) -> model.CollectedBy | None:
        """What :meth:`resolve` has found; asks nothing."""
        return self._resolved

    def resolve(self) -> model.CollectedBy | None:
        """By what this process collects; None as long as the region is unknown.

        :raises TelemetryError: there is no catalog to look the region up in.
        """
        with self._lock:
            if self._resolved is None:
                region = self._telemetry.region()
                if region is not None:
                    telemetry = f"{self._driver_name}/{region}"
                    self._resolved = model.CollectedBy(telemetry, self._collector, self._rules)
            return self._resolved


class OriginCheck:
    """Compares what projects were collected by with what this process collects by, once a run."""

    def __init__(self, origin: Origin, store: Store) -> None:
        self._origin = origin
        self._store = store
        # Of the last run.
        self._last_collected: Mapping[str, datetime] = {}

    def problems(
        self, projects: Sequence[model.Project], last_collected: Mapping[str, datetime]
    ) -> dict[str, exceptions.StoreError]:
        """Why projects cannot be collected, by project id: their progress is that of another telemetry service.

        :raises StoreError: the database failed.
        :raises TelemetryError: there is no catalog to look the region up in.
        """
        mine = self._origin.resolve()
        if mine is None:
            return {}
        found = self._store.collected_by_others([project.id for project in projects], mine)
        elsewhere, overlapping = [], []
        for project in projects:
            other = found.get(project.id)
            if other is None:
                continue
            if other.telemetry and other.telemetry != mine.telemetry:
                elsewhere.append(project)
            elif self._has_advanced(project.id, last_collected):
                overlapping.append(project)
        self._last_collected = dict(last_collected)
        _report_overlap(overlapping, found, mine)
        _report_elsewhere(elsewhere, found, mine)
        return {
            project.id: exceptions.StoreError(_elsewhere(found[project.id].telemetry, mine.telemetry))
            for project in elsewhere
        }

    def _has_advanced(self, project_id: str, last_collected: Mapping[str, datetime]) -> bool:
        """Whether it was collected since the last run of this process, which was not by this process's rules."""
        before, now = self._last_collected.get(project_id), last_collected.get(project_id)
        return before is not None and now is not None and now > before


def _elsewhere(theirs: str, mine: str) -> str:
    names = shlex.join((theirs, mine))
    driver, _, region = theirs.partition("/")
    my_driver, _, my_region = mine.partition("/")
    if driver == my_driver:
        usage, configured = f"region {region} ({theirs})", f"{my_region} ([keystone_authtoken] region_name)"
    else:
        usage, configured = theirs, f"{mine} ([collector] collector_backend)"
    return (
        f"the database has the usage of {usage}, and this collector is configured for {configured}, whose usage would"
        " be missing. Use a database for each region; if only the name has changed, or the driver was replaced after it"
        f" had collected everything, run distil-manage telemetry rename {names}"
    )


def _report_elsewhere(
    projects: Sequence[model.Project], found: Mapping[str, model.CollectedBy], mine: model.CollectedBy
) -> None:
    if projects:
        first = projects[0]
        reason = _elsewhere(found[first.id].telemetry, mine.telemetry)
        count = pluralize(len(projects), "project")
        LOG.error("%s not collected, such as %s (%s): %s", count, first.id, first.name, reason)


def _report_overlap(
    projects: Sequence[model.Project], found: Mapping[str, model.CollectedBy], mine: model.CollectedBy
) -> None:
    if projects:
        LOG.warning(
            "%s, such as %s (%s), collected by collector %s with other rules since the last run of this one (%s): which"
            " rules bill a window is chance. Separate the scopes, or use the same rules files.",
            pluralize(len(projects), "project"),
            projects[0].id,
            projects[0].name,
            ", ".join(sorted({found[project.id].collector for project in projects})),
            mine.collector,
        )
