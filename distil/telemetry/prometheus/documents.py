# SPDX-License-Identifier: Apache-2.0
"""Makes documents, with the keys of Ceilometer's samples, of series."""

import datetime
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from oslo_log import log

from distil import exceptions
from distil.telemetry.prometheus import counters
from distil.telemetry.prometheus.api import format_time
from distil.telemetry.prometheus.counter_samples import ConflictingSeries
from distil.telemetry.prometheus.counter_samples import are_simultaneous
from distil.telemetry.prometheus.counters import Increase
from distil.telemetry.prometheus.meters import FirstSample
from distil.telemetry.prometheus.meters import Kind
from distil.telemetry.prometheus.meters import PrometheusMeter
from distil.telemetry.prometheus.series import Series
from distil.telemetry.prometheus.series import join
from distil.telemetry.prometheus.series import thin

LOG = log.getLogger(__name__)

_ID_BYTES = 16

# Volumes from here on are rejected.
_MAX_INTEGER = 10**18


class DocumentMaker:
    """Makes the documents of samples of one project. Threads share it.

    :param source: of all samples.
    :param max_gap: in milliseconds; see :func:`distil.telemetry.prometheus.counters.increases`.
    :param replica_labels: see there.
    """

    def __init__(self, source: str, max_gap: int, replica_labels: Sequence[str]) -> None:
        self._source = source
        self._max_gap = max_gap
        self._replica_labels = replica_labels

    def documents(
        self, entry: PrometheusMeter, project_id: str, parts: Sequence[Series], start: int, end: int
    ) -> Iterator[Mapping[str, Any]]:
        """Documents of one entry's samples in [start, end).

        Of a run of equal values of a gauge they are the first and the last; of a counter there is one for each series,
        of what it has counted.

        :param parts: of the project's series, in the order of time; of a counter that was transferred, also those of
            the other projects.
        :raises TelemetryError: two series of one resource count at the same time.
        """
        series = join(parts)
        if entry.kind is Kind.GAUGE:
            for item in series:
                if item.labels[entry.project_label] == project_id:
                    yield from self._gauge_documents(entry, item.within(start, end))
            return
        resources: dict[object, list[Series]] = defaultdict(list)
        for item in series:
            # Without a resource, each is rejected for itself.
            resources[item.labels.get(entry.resource_label) or item.key].append(item)
        for resource_series in resources.values():
            yield from self._counter_documents(entry, project_id, resource_series, start, end)

    def _gauge_documents(self, entry: PrometheusMeter, series: Series) -> Iterator[Mapping[str, Any]]:
        identity = _identity(entry, series.labels)
        for index in thin(series.times, series.values):
            value = _number(series.values[index])
            volume = entry.volume.resolve(series.labels, value, {})
            yield self._document(entry, series.labels, identity, series.times[index], value, volume)

    def _counter_documents(
        self, entry: PrometheusMeter, project_id: str, series: Sequence[Series], start: int, end: int
    ) -> Iterator[Mapping[str, Any]]:
        for increase in self._increases(entry, project_id, series, start, end):
            if increase.labels[entry.project_label] == project_id:
                amount = _number(increase.amount)
                identity = _identity(entry, increase.labels)
                yield self._document(entry, increase.labels, identity, increase.time, amount, amount)

    def _increases(
        self, entry: PrometheusMeter, project_id: str, series: Sequence[Series], start: int, end: int
    ) -> Sequence[Increase]:
        by_project: dict[str, list[Series]] = defaultdict(list)
        for item in series:
            by_project[item.labels[entry.project_label]].append(item)
        own = by_project.pop(project_id, [])
        # If one is there meanwhile, it was not transferred: projects have resources with the same id.
        is_shared = any(are_simultaneous(own, others) for others in by_project.values())
        counted = own if is_shared else series
        if counters.is_too_sparse(counted, self._max_gap):
            LOG.warning(
                "%s: the samples of resource %s from %s to %s are further apart than [prometheus] max_gap (%d s): what"
                " was counted between them is not billed",
                entry.selector,
                counted[0].labels.get(entry.resource_label),
                format_time(start),
                format_time(end),
                self._max_gap // 1000,
            )
        from_zero = entry.first_sample is FirstSample.FROM_ZERO
        try:
            return counters.increases(counted, start, end, self._max_gap, from_zero, self._replica_labels)
        except ConflictingSeries as error:
            if len(counted) > len(own):
                return self._increases(entry, project_id, own, start, end)
            raise exceptions.TelemetryError(_describe_conflict(entry, *error.labels)) from error

    def _document(
        self, entry: PrometheusMeter, labels: Mapping[str, str], identity: bytes, time: int, measured: Any, volume: Any
    ) -> Mapping[str, Any]:
        """:param identity: of the entry and series.
        :param measured: the value that metadata may come from.
        """
        return {
            "id": hashlib.blake2b(b"%s %d" % (identity, time), digest_size=_ID_BYTES).hexdigest(),
            "meter": entry.meter,
            "type": "delta" if entry.kind is Kind.COUNTER else "gauge",
            "project_id": labels[entry.project_label],
            "resource_id": labels.get(entry.resource_label),
            "timestamp": _timestamp(time),
            "volume": volume,
            "unit": entry.unit if entry.unit_label is None else labels.get(entry.unit_label),
            "source": self._source,
            "metadata": entry.document_metadata(labels, measured, {}),
        }


def _identity(entry: PrometheusMeter, labels: Mapping[str, str]) -> bytes:
    text = repr((entry.meter, entry.selector, sorted(labels.items())))
    return hashlib.blake2b(text.encode(), digest_size=_ID_BYTES).digest()


def _number(value: Decimal | float) -> float:
    """The number; an int if it is one that can be billed, so that JSON has all of its digits."""
    number = float(value)
    return int(value) if abs(number) < _MAX_INTEGER and value == int(value) else number


def _timestamp(time: int) -> str:
    """In UTC, without a time zone, as Ceilometer writes it."""
    moment = datetime.datetime.fromtimestamp(time // 1000, datetime.UTC).replace(tzinfo=None)
    return moment.replace(microsecond=time % 1000 * 1000).isoformat()


def _describe_conflict(entry: PrometheusMeter, one: Mapping[str, str], other: Mapping[str, str]) -> str:
    names = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
    resource_id = one.get(entry.resource_label)
    return (
        f"two series of {entry.selector} count for resource {resource_id} at the same time, and differ"
        f" in {', '.join(names)}. If they count the same, add these labels to [prometheus] replica_labels; if not, have"
        " another resource label tell them apart, or add them up by a recording rule of Prometheus"
    )
