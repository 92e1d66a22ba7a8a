# SPDX-License-Identifier: Apache-2.0
"""What Gnocchi keeps of a metric: it stays as it is for the metric's life, so it is learned once."""

import datetime
import re
import threading
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from typing import NamedTuple

from distil import exceptions
from distil import text
from distil.telemetry.gnocchi import client
from distil.telemetry.http_client import StatusError
from distil.telemetry.http_client import show_value

# Beyond it all is learned anew: metrics of the past would fill the memory.
_MAX_METRICS = 500_000

# As in Python's text of a timedelta: "30 days, 0:05:00".
_TIMESPAN = re.compile(r"(?:(?P<days>\d+) days?, )?(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d(?:\.\d+)?)")
_SECONDS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}


class Policy(NamedTuple):
    """An archive policy.

    :param timespans: how long aggregates are kept, by their length; both in seconds.
    :param back_window: number of the longest aggregates that measures may be late.
    """

    name: str
    aggregations: frozenset[str]
    timespans: Mapping[float, float]
    back_window: int

    def choose(self, aggregations: Sequence[str]) -> str | None:
        """The first of these aggregations that is kept; None: none of them is."""
        return next((aggregation for aggregation in aggregations if aggregation in self.aggregations), None)

    def problem(self, aggregations: Sequence[str], granularity: int, age: float) -> str | None:
        """Why a period cannot be read of metrics with this policy; None if it can.

        :param granularity: of the aggregates, in seconds.
        :param age: of the period's start, seen from the newest measure, in seconds.
        """
        subject = f"with the archive policy {self.name},"
        if self.choose(aggregations) is None:
            return (
                f"{subject} keeps {', '.join(sorted(self.aggregations))}, but the meters file wants"
                f" {' or '.join(aggregations)}; change aggregations in the meters file, or, once all of it is billed,"
                " delete the metric, so that a new one is made with another policy"
            )
        timespan = self.timespans.get(granularity)
        if timespan is None:
            lengths = ", ".join(f"{length:g}" for length in sorted(self.timespans))
            return f"{subject} keeps aggregates of {lengths} s, but not of {granularity} s ([gnocchi] granularity)"
        if age > timespan:
            kept = text.format_duration(datetime.timedelta(seconds=timespan))
            return (
                f"{subject} keeps its aggregates for {kept}: these are deleted, and can only be left out (distil-manage"
                " project start; for new projects, max_collection_start_age)"
            )
        return None


class Metric(NamedTuple):
    """:param unit: None: it was made without."""

    policy: Policy
    unit: str | None


class MetricCache:
    """Descriptions of metrics by id. Threads share it."""

    def __init__(self, gnocchi: client.GnocchiClient) -> None:
        self._gnocchi = gnocchi
        self._lock = threading.Lock()
        self._metrics: dict[str, Metric] = {}
        # By their description without the id. Hundreds of thousands of metrics have few of them in common: each of its
        # own would take memory, and the garbage collector's time.
        self._descriptions: dict[str, Metric] = {}

    def get(self, metric_id: str) -> Metric | None:
        """What is known of a metric; None: nothing yet."""
        return self._metrics.get(metric_id)

    def forget(self, metric_ids: Iterable[str]) -> None:
        """Have metrics looked up again the next time."""
        for metric_id in metric_ids:
            self._metrics.pop(metric_id, None)

    def learn(self, documents: Collection[Any]) -> None:
        """:param documents: of metrics, as Gnocchi describes them.

        :raises TelemetryError: one of them is malformed.
        """
        with self._lock:
            if len(self._metrics) > _MAX_METRICS:
                self._metrics.clear()
                self._descriptions.clear()
            for document in documents:
                self._learn(document)

    def look_up(self, metric_id: str) -> Metric | None:
        """Ask for one metric; None if it does not exist.

        :raises TelemetryError: there is no usable answer.
        """
        try:
            document = self._gnocchi.metric(metric_id)
        except StatusError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        self.learn([{**document, "id": metric_id}])
        return self._metrics[metric_id]

    def look_up_named(self, name: str, metric_ids: Collection[str]) -> None:
        """Ask for many metrics of a name, as far as this user may list metrics.

        :raises TelemetryError: there is no usable answer.
        """
        left = set(metric_ids)
        after: str | None = None
        while left and (page := self._gnocchi.metrics(name, after)):
            found = [document for document in page if document["id"] in left]
            self.learn(found)
            left -= {document["id"] for document in found}
            after = page[-1]["id"]

    def _learn(self, document: Any) -> None:
        try:
            unit, policy = document["unit"], document["archive_policy"]
            key = repr((unit, policy))
            if key not in self._descriptions:
                self._descriptions[key] = Metric(_parse_policy(policy), unit if isinstance(unit, str) else None)
            self._metrics[document["id"]] = self._descriptions[key]
        except (LookupError, TypeError, ValueError) as error:
            reason = f"the description of a metric is malformed: {show_value(document)}"
            raise exceptions.TelemetryError(reason, request=client.SERVICE_TYPE) from error


def _parse_policy(document: Mapping[str, Any]) -> Policy:
    """:raises LookupError: a part is missing. TypeError, ValueError: it is something else."""
    methods: Sequence[Any] = document["aggregation_methods"]
    if not isinstance(methods, list):
        raise TypeError(methods)
    timespans = {
        _timespan(definition["granularity"]): _timespan(definition["timespan"]) for definition in document["definition"]
    }
    return Policy(str(document["name"]), frozenset(methods), timespans, int(document["back_window"]))


def _timespan(value: Any) -> float:
    """:returns: seconds."""
    if isinstance(value, int | float):
        return float(value)
    match = _TIMESPAN.fullmatch(value)
    if match is None:
        raise ValueError(value)
    return sum(float(number or 0) * _SECONDS[name] for name, number in match.groupdict().items())
