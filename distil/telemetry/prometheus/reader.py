# SPDX-License-Identifier: Apache-2.0
"""Reads the samples of a period into a snapshot."""

import datetime
import itertools
from collections import defaultdict
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from oslo_log import log

from distil import exceptions
from distil import model
from distil.telemetry.prometheus import parser
from distil.telemetry.prometheus.api import PrometheusAPI
from distil.telemetry.prometheus.api import QueryTooLarge
from distil.telemetry.prometheus.meters import Kind
from distil.telemetry.prometheus.meters import PrometheusMeter
from distil.telemetry.prometheus.owners import Counter
from distil.telemetry.prometheus.owners import Owners
from distil.telemetry.prometheus.part_lengths import MIN_LENGTH
from distil.telemetry.prometheus.part_lengths import PartLengths
from distil.telemetry.prometheus.selector import Selector
from distil.telemetry.prometheus.series import Series
from distil.telemetry.prometheus.series import format_labels
from distil.telemetry.snapshot import Snapshot
from distil.text import pluralize

LOG = log.getLogger(__name__)

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MILLISECOND = datetime.timedelta(milliseconds=1)
_MAX_EXAMPLES = 3


class Question(NamedTuple):
    """What is asked once for several entries of the meters file.

    :ivar project_label: by which series belong to projects.
    """

    selector: Selector
    project_label: str


class SeriesReader:
    """Reads series in parts. Threads share it."""

    def __init__(self, api: PrometheusAPI, lengths: PartLengths) -> None:
        self._api = api
        self._lengths = lengths

    def parts(self, selector: Selector, start: int, end: int) -> Iterator[tuple[int, int, list[Any]]]:
        """Parts of a period, each with its start and end and the unparsed series in it.

        :param start: in milliseconds since the epoch, like ``end``.
        :raises PeriodIncomplete: the service says that it does not have all samples.
        :raises TelemetryError: the service gave no usable answer.
        """
        while start < end:
            length = self._lengths.next(selector, end - start)
            part_end = min(end, start + length)
            try:
                items = self._api.samples(selector, start, part_end)
            except QueryTooLarge:
                if length <= MIN_LENGTH:
                    raise
                self._lengths.halve(selector, length)
                continue
            self._lengths.record(selector, length, sum(map(_sample_count, items)))
            yield start, part_end, items
            start = part_end


class PeriodReader:
    """Reads the samples of all projects that some entries need.

    :ivar entries: by the question that is asked for them.
    :param entries: of the meters file; none of them is unavailable.
    :param look_back: how long before a period its counters must be known, in milliseconds.
    :param name: of the service, for messages.
    """

    def __init__(self, reader: SeriesReader, entries: Sequence[PrometheusMeter], look_back: int, name: str) -> None:
        self._reader = reader
        self._look_back = look_back
        self._name = name
        by_question: dict[Question, list[PrometheusMeter]] = defaultdict(list)
        for entry in entries:
            by_question[Question(entry.selector, entry.project_label)].append(entry)
        self.entries: Mapping[Question, Sequence[PrometheusMeter]] = dict(by_question)
        self._questions = tuple(by_question)
        self._empty: set[Selector] = set()
        self._resource_labels = tuple(
            frozenset(entry.resource_label for entry in by_question[question] if entry.kind is Kind.COUNTER)
            for question in by_question
        )

    def read(self, period: model.Window, snapshot: Snapshot) -> None:
        """Add rows: the number of the question, labels, times and values.

        :raises PeriodIncomplete: the service says that it does not have all samples.
        :raises TelemetryError: the service gave no usable answer.
        """
        owners = Owners()
        for number, question in enumerate(self._questions):
            without_project: set[str] = set()
            owned = 0
            is_counter = any(entry.kind is Kind.COUNTER for entry in self.entries[question])
            start, end = milliseconds(period.start), milliseconds(period.end)
            # What a counter counted until its first sample in the period is the difference from the one before.
            first = start - self._look_back if is_counter else start
            for part_start, part_end, items in self._reader.parts(question.selector, first, end):
                for item in items:
                    series = self._parse(question, item, part_start, part_end, is_counter, snapshot)
                    if series is not None and not series.labels.get(question.project_label):
                        without_project.add(format_labels(series.labels))
                    elif series is not None and series.times:
                        row = (number, series.labels, series.times, series.values)
                        snapshot.add(series.labels[question.project_label], row)
                        owners.record(self._counters(number, series.labels), series.labels[question.project_label])
                        owned += 1
            self._report(question, owned, without_project, period)
        self._share(owners, snapshot)

    def _report(self, question: Question, owned: int, without_project: Collection[str], period: model.Window) -> None:
        """Tell what is not billed, as after a misspelt name in the meters file.

        :param owned: number of series of projects.
        :param without_project: the labels of series without a project.
        :raises TelemetryError: there are series, but none of a project.
        """
        selector, label = question
        if without_project:
            series = pluralize(len(without_project), "series", "series")
            examples = ", ".join(itertools.islice(sorted(without_project), _MAX_EXAMPLES))
            if not owned:
                reason = f"none of the {series} of {selector} has the label {label} of the project, such as {examples}"
                raise exceptions.TelemetryError(f"{self._name}: {reason}", affects_all=True)
            LOG.warning("%s of %s without the label %s are not billed, such as %s", series, selector, label, examples)
        elif not owned and selector not in self._empty:
            # Once for each process: the cloud may have no such resources.
            self._empty.add(selector)
            LOG.warning(
                "%s has no series in %s, so nothing is billed by it. If the cloud has such resources: is it the name of"
                " a metric?",
                selector,
                period,
            )

    def series(self, rows: Iterable[Any]) -> dict[Question, list[Series]]:
        """The series of one project, by question; parts of one series follow each other.

        :param rows: of the snapshot; of a counter that was transferred, also those of the other projects.
        """
        found: dict[Question, list[Series]] = defaultdict(list)
        for number, labels, times, values in rows:
            found[self._questions[number]].append(Series(labels, times, values))
        return found

    def _counters(self, number: int, labels: Mapping[str, str]) -> list[Counter]:
        resource_labels = self._resource_labels[number]
        return [Counter(number, label, labels[label]) for label in resource_labels if labels.get(label)]

    def _share(self, owners: Owners, snapshot: Snapshot) -> None:
        """Add the series of counters that were transferred to each of their projects: one continues another's."""
        snapshot.flush()
        shared: list[tuple[str, Any]] = []
        for project_id in owners.sharing():
            if snapshot.has_failed(project_id):
                continue
            for row in snapshot.rows(project_id):
                others = owners.others(self._counters(*row[:2]), project_id)
                shared += [(other, row) for other in others]
        for project_id, row in shared:
            snapshot.add(project_id, row)

    def _parse(
        self, question: Question, item: Any, start: int, end: int, keep_all: bool, snapshot: Snapshot
    ) -> Series | None:
        """The series; None if it is malformed, and its project is known, which then fails.

        :raises TelemetryError: it is malformed, and no project is known.
        """
        try:
            return parser.parse_series(item, start, end, keep_all).series
        except parser.MalformedSeries as error:
            reason = f"{self._name}: a series of {question.selector} cannot be used: {error.reason}"
            project_id = error.labels.get(question.project_label)
            if not project_id:
                raise exceptions.TelemetryError(reason, affects_all=True) from error
            snapshot.fail(project_id, reason)
            return None


def milliseconds(time: datetime.datetime) -> int:
    """Since the epoch."""
    return (time - _EPOCH) // _MILLISECOND


def _sample_count(item: Any) -> int:
    values = item.get("values") if isinstance(item, Mapping) else None
    return len(values) if isinstance(values, list) else 0
