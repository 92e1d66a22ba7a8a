# SPDX-License-Identifier: Apache-2.0
"""Whether all scrapes of a period are there: Prometheus answers alike whether nothing was, or nothing was seen."""

import dataclasses
import itertools
import math
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import NamedTuple

from oslo_log import log

from distil import exceptions
from distil.telemetry.prometheus import parser
from distil.telemetry.prometheus.api import PrometheusAPI
from distil.telemetry.prometheus.api import format_time
from distil.telemetry.prometheus.reader import SeriesReader
from distil.telemetry.prometheus.selector import Selector
from distil.telemetry.prometheus.series import format_labels
from distil.text import pluralize

LOG = log.getLogger(__name__)

_MAX_EXAMPLES = 3


class Gap(NamedTuple):
    """A time without a successful scrape, in milliseconds since the epoch."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start

    def __str__(self) -> str:
        return f"from {format_time(self.start)} to {format_time(self.end)}"


@dataclasses.dataclass
class _Target:
    """What is known of a target up to some time.

    :ivar up: times of successful scrapes.
    :ivar down: times of failed ones.
    """

    up: list[int] = dataclasses.field(default_factory=list)
    down: list[int] = dataclasses.field(default_factory=list)


class WholenessCheck:
    """Looks for gaps in series that are not 0 while samples are complete, as the ``up`` of a job.

    :param max_gap: the longest that is accepted, in milliseconds.
    :param require_all_targets: whether a gap of one target is one of the period; else only one of all targets.
    """

    def __init__(self, api: PrometheusAPI, reader: SeriesReader, max_gap: int, require_all_targets: bool) -> None:
        self._api = api
        self._reader = reader
        self._max_gap = max_gap
        self._require_all_targets = require_all_targets

    def require_whole(self, up: Selector, start: int, end: int) -> None:
        """:param start: in milliseconds since the epoch, like ``end``.
        :raises PeriodIncomplete: there is a gap.
        :raises TelemetryError: the service gave no usable answer.
        """
        targets = self._targets(up, start, end)
        times = sorted(itertools.chain.from_iterable(target.up for target in targets.values()))
        gap = max(_gaps(times, start, end, self._max_gap), key=lambda gap: gap.length, default=None)
        if gap is not None:
            raise exceptions.PeriodIncomplete(self._describe(up, gap, bool(targets)))
        partial = {
            labels: longest
            for labels, target in targets.items()
            if (longest := _down(target, start, end, self._max_gap)) is not None
        }
        if partial:
            self._report_partial(up, partial, len(targets))

    def _targets(self, up: Selector, start: int, end: int) -> Mapping[str, _Target]:
        targets: dict[str, _Target] = {}
        for part_start, part_end, items in self._reader.parts(up, start, end):
            for item in items:
                try:
                    series = parser.parse_series(item, part_start, part_end, keep_all=True).series
                except parser.MalformedSeries as error:
                    reason = f"{self._api.name}: a series of {up} cannot be used: {error.reason}"
                    raise exceptions.TelemetryError(reason, affects_all=True) from error
                target = targets.setdefault(format_labels(series.labels), _Target())
                for time, value in zip(series.times, series.values, strict=True):
                    (target.up if value and not math.isnan(value) else target.down).append(time)
        return targets

    def _describe(self, up: Selector, gap: Gap, is_known: bool) -> str:
        if not is_known:
            return (
                f"{up} has no sample {gap}: is it the name of a metric, was it scraped then, and is that within the"
                f" retention ({self._retention()})? If the cloud lacks the service, have the meters file say that its"
                " meters are unavailable"
            )
        return (
            f"{up} has no sample but 0 {gap}, longer than [prometheus] max_gap ({self._max_gap // 1000} s): samples may"
            " be missing. If they cannot be recovered, set max_gap to"
            f" {math.ceil(gap.length / 1000)} until the window is collected"
        )

    def _retention(self) -> str:
        try:
            return str(self._api.runtime_info().get("storageRetention") or "unknown")
        except exceptions.TelemetryError as error:
            LOG.debug("The retention is unknown: %s", error)
            return "unknown"

    def _report_partial(self, up: Selector, partial: Mapping[str, Gap], targets: int) -> None:
        """:raises PeriodIncomplete: all targets are required."""
        examples = ", ".join(f"{labels} {gap}" for labels, gap in itertools.islice(partial.items(), _MAX_EXAMPLES))
        down = (
            f"{len(partial)} of {pluralize(targets, 'target')} of {up} down for longer than max_gap, such as {examples}"
        )
        if self._require_all_targets:
            raise exceptions.PeriodIncomplete(
                f"{down}: samples may be missing. Leave out targets that are gone for good in the meters file's up, or"
                " raise [prometheus] max_gap until the window is collected"
            )
        LOG.warning("%s: what they alone measured is missing", down)


def _gaps(times: Iterable[int], start: int, end: int, max_gap: int) -> Iterator[Gap]:
    """Between the times, and between them and the ends of the period.

    :param times: ascending.
    """
    for earlier, later in itertools.pairwise([start, *times, end]):
        if later - earlier > max_gap:
            yield Gap(earlier, later)


def _down(target: _Target, start: int, end: int, max_gap: int) -> Gap | None:
    """The longest gap in which it was found to be down. Without a failed scrape it was added, or removed, meanwhile."""
    gaps = [
        gap
        for gap in _gaps(target.up, start, end, max_gap)
        if any(gap.start <= time <= gap.end for time in target.down)
    ]
    return max(gaps, key=lambda gap: gap.length, default=None)
