# SPDX-License-Identifier: Apache-2.0
"""Parses the series in an answer."""

import operator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from distil.telemetry.http_client import show_value
from distil.telemetry.prometheus.series import Series
from distil.telemetry.prometheus.series import thin


class MalformedSeries(Exception):
    """A series is not as documented.

    :ivar labels: those that are.
    :ivar reason: what is wrong with it.
    """

    def __init__(self, labels: Mapping[str, str], reason: str) -> None:
        self.labels = labels
        self.reason = reason
        super().__init__(reason)


class ParsedSeries(NamedTuple):
    """:ivar series: without samples outside of the period.
    :ivar samples: number of samples in the answer.
    """

    series: Series
    samples: int


def parse_series(item: Any, start: int, end: int, keep_all: bool) -> ParsedSeries:
    """Parse an element of a matrix.

    :param start: of the period, in milliseconds since the epoch, like ``end``; a sample at ``start - 1`` is left out.
    :param keep_all: whether to keep samples inside of runs of equal values.
    :raises MalformedSeries: it is not as documented, or is of another period.
    """
    labels = _labels(item)
    pairs = item.get("values")
    if not isinstance(pairs, list) or not pairs:
        raise MalformedSeries(labels, f"values must be a list of samples, not {show_value(pairs)}")
    try:
        times = [round(time * 1000) for time, _ in pairs]
        texts = [text for _, text in pairs]
    except (TypeError, ValueError, OverflowError):
        raise MalformedSeries(labels, f"values must be pairs of time and value, not {show_value(pairs)}") from None
    samples = len(times)
    _require_order(labels, times)
    if times[0] == start - 1:
        del times[0], texts[0]
    if times and not start <= times[0] <= times[-1] < end:
        raise MalformedSeries(labels, f"has a sample at {times[0] / 1000} or {times[-1] / 1000}, outside of the query")
    kept = range(len(times)) if keep_all else thin(times, texts)
    values = _values(labels, [texts[index] for index in kept])
    return ParsedSeries(Series(labels, [times[index] for index in kept], values), samples)


def parse_last(item: Any, time: int) -> Series:
    """Parse an element of a vector or a matrix; only its last value is kept.

    :param time: that the value is taken for, in milliseconds since the epoch.
    :raises MalformedSeries: it is not as documented.
    """
    labels = _labels(item)
    try:
        pair = item["values"][-1] if "values" in item else item["value"]
        return Series(labels, [time], _values(labels, [pair[1]]))
    except (TypeError, LookupError):
        raise MalformedSeries(labels, f"must have a value, not {show_value(item)}") from None


def _labels(item: Any) -> Mapping[str, str]:
    metric = item.get("metric") if isinstance(item, Mapping) else None
    if not isinstance(metric, Mapping):
        raise MalformedSeries({}, f"must be an object with metric and values, not {show_value(item)}")
    labels = {name: value for name, value in metric.items() if isinstance(value, str) and _is_text(name + value)}
    if len(labels) < len(metric):
        raise MalformedSeries(labels, f"metric must map labels to texts, not {show_value(dict(metric))}")
    return labels


def _is_text(value: str) -> bool:
    """Whether it can be encoded: it has no lone surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _require_order(labels: Mapping[str, str], times: Sequence[int]) -> None:
    if not all(map(operator.lt, times, times[1:])):
        raise MalformedSeries(labels, "its samples are not in the order of time, each at another")


def _values(labels: Mapping[str, str], texts: Sequence[Any]) -> list[float]:
    if not all(type(text) is str for text in texts):
        raise MalformedSeries(labels, "a value is not text")
    try:
        return [float(text) for text in texts]
    except ValueError as error:
        raise MalformedSeries(labels, f"a value is not a number: {show_value(str(error))}") from None
