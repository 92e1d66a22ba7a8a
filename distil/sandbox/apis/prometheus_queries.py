# SPDX-License-Identifier: Apache-2.0
"""What Prometheus answers to queries, which Aetos passes on."""

import dataclasses
import datetime
import itertools
import math
import re
import time
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from distil.sandbox.data.prometheus_series import SCRAPED_NAMES
from distil.sandbox.data.prometheus_series import AddedSeries
from distil.sandbox.data.prometheus_series import ScrapedSeries
from distil.sandbox.data.prometheus_series import ScrapeOutage
from distil.sandbox.data.prometheus_series import Series
from distil.sandbox.query import selectors
from distil.sandbox.query.selectors import NAME_LABEL
from distil.sandbox.query.selectors import InvalidSelector
from distil.sandbox.query.selectors import Matcher
from distil.sandbox.query.selectors import Selector

# How long the newest sample of a series counts as its value.
_LOOKBACK_MS = 300_000

# In this time every resource has had all of its labels; without a start, older series are not looked for.
_VERSIONS_MS = 3 * 3_600_000

_CONSTANT = re.compile(r"vector\((\d+)\)", re.ASCII)
_ZERO_DURATION = re.compile(r"(0[a-z]*)+")
# Between these, values are written without an exponent.
_MIN_PLAIN, _MAX_PLAIN = 1e-6, 1e21


@dataclasses.dataclass(frozen=True)
class PrometheusSettings:
    """Settings of the sandbox's Prometheus.

    :param version: the major version; from 3 on, a range excludes its start.
    :param scrape_interval: between two scrapes, in seconds; a divisor of 600.
    :param max_samples: how many samples a query can load.
    :param retention: how long samples are kept, in days.
    """

    version: int = 2
    scrape_interval: int = 60
    max_samples: int = 50_000_000
    retention: int = 400


class PrometheusError(Exception):
    """Prometheus rejects a request.

    :ivar kind: ``errorType`` in the answer.
    """

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(status, kind, message)
        self.status = status
        self.kind = kind
        self.message = message


class PrometheusQueries:
    """Evaluates queries over scraped series and those that were added."""

    def __init__(self, scraped: ScrapedSeries, added: AddedSeries, settings: PrometheusSettings) -> None:
        self._scraped = scraped
        self._added = added
        self.settings = settings

    def query(
        self, arguments: Mapping[str, str], outage: ScrapeOutage | None = None, matcher: Matcher | None = None
    ) -> dict[str, Any]:
        """Return the data of the answer to an instant query.

        :param arguments: ``query`` (a selector, or ``vector(1)``) and, optionally, ``time`` and ``timeout``.
        :param outage: of the scrapes.
        :param matcher: restricts the series, like those of the query.
        :raises PrometheusError: the query is invalid or loads too many samples.
        """
        time_ms = _parse_time(arguments.get("time"))
        if _ZERO_DURATION.fullmatch(arguments.get("timeout", "")):
            raise PrometheusError(503, "timeout", "query timed out in query queue")
        constant = _CONSTANT.fullmatch(arguments.get("query", ""))
        if constant:
            return {"resultType": "vector", "result": [{"metric": {}, "value": [_seconds(time_ms), constant[1]]}]}
        selector = parse_selector("query", arguments.get("query", ""))
        if matcher is not None:
            selector = dataclasses.replace(selector, matchers=(*selector.matchers, matcher))
        if selector.range_ms is None:
            return {"resultType": "vector", "result": self._vector(selector, time_ms, outage)}
        start_ms = time_ms - selector.range_ms + (1 if self.settings.version > 2 else 0)  # noqa: PLR2004
        series = self._limited(_after_outage(self.select(selector, start_ms, time_ms + 1), outage))
        found = sorted(series, key=lambda each: sorted(each.labels.items()))
        return {"resultType": "matrix", "result": [_describe(each) for each in found]}

    def select(self, selector: Selector, start_ms: int, end_ms: int) -> Iterator[Series]:
        """Return matching series with samples in [start, end)."""
        now_ms = self._scraped.end_ms()
        oldest_ms = now_ms - self.settings.retention * 86_400_000
        yield from self._scraped.select(selector, max(start_ms, oldest_ms), end_ms)
        yield from self._added.select(selector, start_ms, end_ms)

    def has_metric(self, name: str) -> bool:
        """Whether any series is of this metric."""
        return name in SCRAPED_NAMES or name in self._added.names()

    def list_series(self, arguments: Sequence[tuple[str, str]]) -> list[Mapping[str, str]]:
        """Return the labels of matching series.

        :param arguments: one or more ``match[]`` and, optionally, ``start`` and ``end``.
        :raises PrometheusError: the arguments are invalid.
        """
        texts = [value for name, value in arguments if name == "match[]"]
        if not texts:
            raise PrometheusError(400, "bad_data", "no match[] parameter provided")
        bounds = dict(arguments)
        end_ms = _parse_time(bounds["end"]) if "end" in bounds else self._scraped.end_ms()
        start_ms = _parse_time(bounds["start"]) if "start" in bounds else end_ms - _VERSIONS_MS
        matching = (self.select(parse_selector("match[]", text), start_ms, end_ms + 1) for text in texts)
        unique = {tuple(sorted(series.labels.items())) for series in itertools.chain.from_iterable(matching)}
        return [dict(labels) for labels in sorted(unique)]

    def label_values(self, label: str, arguments: Sequence[tuple[str, str]]) -> list[str]:
        """Return the values of a label in matching series, or in all series without a ``match[]``."""
        series = self.list_series(_with_match(arguments))
        return sorted({labels[label] for labels in series if label in labels})

    def label_names(self, arguments: Sequence[tuple[str, str]]) -> list[str]:
        """Return the labels of matching series, or of all series without a ``match[]``."""
        return sorted({name for labels in self.list_series(_with_match(arguments)) for name in labels})

    def _vector(self, selector: Selector, time_ms: int, outage: ScrapeOutage | None) -> list[dict[str, Any]]:
        scraped = self._scraped.select(selector, time_ms - self._scraped.interval_ms + 1, time_ms + 1)
        added = self._added.select(selector, time_ms - _LOOKBACK_MS + 1, time_ms + 1)
        newest = (Series(series.labels, series.samples[-1:]) for series in _after_outage((*scraped, *added), outage))
        return [
            {"metric": dict(series.labels), "value": [_seconds(time_ms), format_value(series.samples[0][1])]}
            for series in self._limited(newest)
        ]

    def _limited(self, series: Iterator[Series]) -> Iterator[Series]:
        loaded = 0
        for each in series:
            loaded += len(each.samples)
            if loaded > self.settings.max_samples:
                message = "query processing would load too many samples into memory in query execution"
                raise PrometheusError(422, "execution", message)
            yield each


def _after_outage(series: Iterable[Series], outage: ScrapeOutage | None) -> Iterator[Series]:
    """Return the series that have samples, as they are after outages of the scrapes."""
    changed = (each if outage is None else outage.apply(each) for each in series)
    return (each for each in changed if each.samples)


def is_constant(query: str) -> bool:
    """Whether a query reads no series."""
    return _CONSTANT.fullmatch(query) is not None


def parse_selector(argument: str, text: str) -> Selector:
    """Parse the selector in an argument.

    :raises PrometheusError: the text is not a selector.
    """
    try:
        return selectors.parse_selector(text)
    except InvalidSelector as error:
        raise PrometheusError(400, "bad_data", f'invalid parameter "{argument}": {error}') from error


def format_value(value: float) -> str:
    """Return a value as Prometheus writes it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value and not _MIN_PLAIN <= abs(value) < _MAX_PLAIN:
        return repr(value)
    return f"{Decimal(repr(value)):f}".removesuffix(".0")


def _with_match(arguments: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    has_match = any(name == "match[]" for name, _ in arguments)
    return [*arguments, *(() if has_match else (("match[]", f'{{{NAME_LABEL}!=""}}'),))]


def _describe(series: Series) -> dict[str, Any]:
    values = [[_seconds(time_ms), format_value(value)] for time_ms, value in series.samples]
    return {"metric": dict(series.labels), "values": values}


def _seconds(time_ms: int) -> float:
    return time_ms / 1000 if time_ms % 1000 else time_ms // 1000


def _parse_time(text: str | None) -> int:
    """Return a time in milliseconds since 1970, now by default."""
    if text is None:
        return round(time.time() * 1000)
    try:
        return round(float(text) * 1000)
    except (ValueError, OverflowError):
        pass
    try:
        return round(datetime.datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError as error:
        message = f'invalid parameter "time": cannot parse "{text}" to a valid timestamp'
        raise PrometheusError(400, "bad_data", message) from error
