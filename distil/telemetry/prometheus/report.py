# SPDX-License-Identifier: Apache-2.0
"""What a check of the configuration finds of meters: whether their series are there, and have the labels."""

import datetime
import itertools
import re
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from oslo_log import log

from distil import exceptions
from distil.telemetry.driver import MeterPresence
from distil.telemetry.driver import MeterReport
from distil.telemetry.http_client import StatusError
from distil.telemetry.prometheus import parser
from distil.telemetry.prometheus.api import PrometheusAPI
from distil.telemetry.prometheus.documents import DocumentMaker
from distil.telemetry.prometheus.meters import PrometheusMeter
from distil.telemetry.prometheus.reader import SeriesReader
from distil.telemetry.prometheus.selector import Selector
from distil.telemetry.prometheus.series import Series
from distil.telemetry.prometheus.wholeness import WholenessCheck
from distil.text import format_duration
from distil.text import pluralize

LOG = log.getLogger(__name__)

# In milliseconds.
_HOUR = 3_600_000

# Shorter ones do not outlast an outage of the collector over a weekend.
_MIN_RETENTION = datetime.timedelta(days=4)
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}
_DURATION = re.compile(r"(\d+)(ms|[smhdwy])")


class MeterReporter:
    """Asks for the series of meters.

    :param source: of all samples.
    """

    def __init__(
        self,
        api: PrometheusAPI,
        reader: SeriesReader,
        wholeness: WholenessCheck,
        documents: DocumentMaker,
        source: str,
    ) -> None:
        self._api = api
        self._reader = reader
        self._wholeness = wholeness
        self._documents = documents
        self._source = source

    def report(self, entries: Sequence[PrometheusMeter], start: int, end: int) -> MeterReport:
        """:param entries: of one meter, none of them unavailable.
        :param start: in milliseconds since the epoch, like ``end``.
        :raises TelemetryError: the service gave no usable answer.
        """
        problems: list[str] = []
        warnings: list[str] = []
        examples: list[Mapping[str, Any]] = []
        for entry in entries:
            problems += self._gaps(entry.up, end)
            found = self._find(entry.selector, start, end)
            problems += _label_problems(entry, found)
            warnings += _label_warnings(entry, found)
            examples += self._examples(entry, found, start, end)
        if not examples:
            warnings += [
                f"{entry.selector} has no series of a project; is it the name of a metric?" for entry in entries
            ]
            return MeterReport(MeterPresence.ABSENT, problems, warnings=warnings)
        return MeterReport(MeterPresence.PRESENT, problems, {self._source}, examples[0], warnings)

    def _gaps(self, up: Selector, end: int) -> Iterator[str]:
        """Why the last hour would not be collected."""
        try:
            self._wholeness.require_whole(up, end - _HOUR, end)
        except exceptions.PeriodIncomplete as error:
            yield str(error)

    def _find(self, selector: Selector, start: int, end: int) -> list[Series]:
        """Series at the end of a period with their last sample, or else, of any that it has, some part."""
        latest = self._api.latest(selector, end)
        if latest:
            return [self._parse(selector, item, end) for item in latest]
        parts = ((part_end, items) for _, part_end, items in self._reader.parts(selector, start, end) if items)
        part_end, items = next(parts, (0, []))
        return [self._parse(selector, item, part_end - 1) for item in items]

    def _parse(self, selector: Selector, item: Any, time: int) -> Series:
        """:param time: for the last sample.
        :raises TelemetryError: the series is not as documented.
        """
        try:
            return parser.parse_last(item, time)
        except parser.MalformedSeries as error:
            reason = f"{self._api.name}: a series of {selector} cannot be used: {error.reason}"
            raise exceptions.TelemetryError(reason) from error

    def _examples(
        self, entry: PrometheusMeter, found: Sequence[Series], start: int, end: int
    ) -> Iterator[Mapping[str, Any]]:
        """At most one document, of a series that belongs to a project."""
        owned = next((series for series in found if series.labels.get(entry.project_label)), None)
        if owned is not None:
            project_id = owned.labels[entry.project_label]
            yield from itertools.islice(self._documents.documents(entry, project_id, [owned], start, end + 1), 1)


def _label_problems(entry: PrometheusMeter, found: Sequence[Series]) -> Iterator[str]:
    """Which series lack the label of the project or of the resource."""
    consequences = {entry.project_label: "not billed", entry.resource_label: "the samples are rejected"}
    for label, consequence in consequences.items():
        missing = sum(label not in series.labels for series in found)
        if missing:
            yield f"{_lacking(entry, label, missing, found)}: {consequence}"


def _label_warnings(entry: PrometheusMeter, found: Sequence[Series]) -> Iterator[str]:
    """Which other labels no series has; in some, they may be missing."""
    for label in sorted(entry.label_names - {entry.project_label, entry.resource_label}):
        if found and not any(label in series.labels for series in found):
            yield _lacking(entry, label, len(found), found)


def _lacking(entry: PrometheusMeter, label: str, missing: int, found: Sequence[Series]) -> str:
    return f"{missing} of {pluralize(len(found), 'series', 'series')} of {entry.selector} without label {label}"


def retention(api: PrometheusAPI) -> datetime.timedelta | None:
    """How long samples are kept; None: the service does not say, or deletes them by size alone.

    :raises TelemetryError: the service gave no usable answer.
    """
    try:
        text = api.runtime_info().get("storageRetention")
    except StatusError as error:
        LOG.debug("The retention is unknown: %s", error)
        return None
    # By time, if it is not by size alone: 15d, 15d or 512MB.
    by_time = text.partition(" or ")[0] if isinstance(text, str) else ""
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in _DURATION.findall(by_time))
    return datetime.timedelta(seconds=seconds) if seconds else None


def retention_warnings(api: PrometheusAPI) -> Iterator[str]:
    """Whether samples are kept for too short a time.

    :raises TelemetryError: the service gave no usable answer.
    """
    kept = retention(api)
    if kept is not None and kept < _MIN_RETENTION:
        yield (
            f"{api.name} keeps samples for {format_duration(kept)} only (--storage.tsdb.retention.time): usage that is"
            " not collected by then is lost"
        )
