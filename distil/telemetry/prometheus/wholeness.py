# SPDX-License-Identifier: Apache-2.0
"""Whether all scrapes of a period are there: Prometheus answers alike whether nothing was, or nothing was seen."""

import bisect
import dataclasses
import itertools
import math
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
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

# How much later than usual the next scrape may be.
_USUAL_FACTOR = 1.5


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

    :ivar up: times of successful scrapes, by any of its replicas.
    :ivar down: times of failed ones.
    """

    up: list[int] = dataclasses.field(default_factory=list)
    down: list[int] = dataclasses.field(default_factory=list)


class WholenessCheck:
    """Looks for gaps in series that are not 0 while samples are complete, as the ``up`` of a job.

    :param max_gap: the longest that is accepted, in milliseconds.
    :param replica_labels: labels in which the series of one target may differ.
    """

    def __init__(self, api: PrometheusAPI, reader: SeriesReader, max_gap: int, replica_labels: Sequence[str]) -> None:
        self._api = api
        self._reader = reader
        self._max_gap = max_gap
        self._replica_labels = frozenset(replica_labels)

    def require_whole(self, up: Selector, start: int, end: int) -> None:
        """:param start: in milliseconds since the epoch, like ``end``.
        :raises PeriodIncomplete: there is a gap: of all targets, or of one that was up before.
        :raises TelemetryError: the service gave no usable answer.
        """
        targets = self._targets(up, start, end)
        times = sorted(itertools.chain.from_iterable(target.up for target in targets.values()))
        gap = _longest(_gaps(times, start, end, self._max_gap))
        if gap is not None:
            raise exceptions.PeriodIncomplete(self._describe(up, gap, bool(targets)))
        _require_end(up, targets, end)
        interrupted = _find_gaps(targets, lambda target: _interruptions(target, start, end, self._max_gap))
        if interrupted:
            raise exceptions.PeriodIncomplete(self._describe_interrupted(up, interrupted, len(targets), end - start))
        absent = _find_gaps(targets, lambda target: _absence(target, start, end, self._max_gap))
        if absent:
            LOG.warning("%s: what they alone can measure is missing", _describe_down(up, absent, len(targets)))

    def _targets(self, up: Selector, start: int, end: int) -> Mapping[str, _Target]:
        """What is known of each target from shortly before the period until shortly after it."""
        targets: dict[str, _Target] = {}
        for part_start, part_end, items in self._reader.parts(up, start - self._max_gap, end + self._max_gap):
            for item in items:
                try:
                    series = parser.parse_series(item, part_start, part_end, keep_all=True).series
                except parser.MalformedSeries as error:
                    reason = f"{self._api.name}: a series of {up} cannot be used: {error.reason}"
                    raise exceptions.TelemetryError(reason, affects_all=True) from error
                labels = {name: value for name, value in series.labels.items() if name not in self._replica_labels}
                target = targets.setdefault(format_labels(labels), _Target())
                for time, value in zip(series.times, series.values, strict=True):
                    (target.up if value and not math.isnan(value) else target.down).append(time)
        for target in targets.values():
            target.up.sort()
        return targets

    def _describe(self, up: Selector, gap: Gap, is_known: bool) -> str:
        if not is_known:
            return (
                f"{up} has no sample {gap}: is it the name of a metric, was it scraped then, and is that within the"
                f" retention ({self._retention()})? If the cloud lacks the service, have the meters file say that its"
                " meters are unavailable. Windows without samples can only be left out (distil-manage project start;"
                " for new projects, max_collection_start_age)"
            )
        return (
            f"{up} has no sample other than 0 {gap}, longer than [prometheus] max_gap ({self._max_gap // 1000} s):"
            " samples may be missing. If they cannot be recovered, set max_gap to"
            f" {math.ceil(gap.length / 1000)} until the window is collected"
        )

    def _retention(self) -> str:
        try:
            return str(self._api.runtime_info().get("storageRetention") or "unknown")
        except exceptions.TelemetryError as error:
            LOG.debug("The retention is unknown: %s", error)
            return "unknown"

    def _describe_interrupted(self, up: Selector, gaps: Mapping[str, Gap], targets: int, duration: int) -> str:
        # Only then is a target accepted that stays down in the window after.
        accepting = max(duration, *(gap.length for gap in gaps.values()))
        return (
            f"{_describe_down(up, gaps, targets)}, and up before: samples may be missing. If they cannot be recovered,"
            f" set [prometheus] max_gap to {math.ceil(accepting / 1000)} until the window is collected, or leave out"
            " targets that are gone for good in the meters file's up"
        )


def _require_end(up: Selector, targets: Mapping[str, _Target], end: int) -> None:
    """Require that the last samples of a period have arrived: what a counter counts by late ones would never be billed.

    :raises PeriodIncomplete: there is none after it, and the last one is older than the usual time between two.
    """
    times = sorted(itertools.chain.from_iterable((*target.up, *target.down) for target in targets.values()))
    usual = max((later - earlier for earlier, later in itertools.pairwise(times)), default=0) * _USUAL_FACTOR
    if times and times[-1] + usual < end:
        raise exceptions.PeriodIncomplete(
            f"{up} has no sample after {format_time(times[-1])} yet: samples may still arrive. If that happens often,"
            " raise [prometheus] lag, and compare the clocks of the collector and of Prometheus"
        )


def _describe_down(up: Selector, gaps: Mapping[str, Gap], targets: int) -> str:
    examples = ", ".join(f"{labels} {gap}" for labels, gap in itertools.islice(gaps.items(), _MAX_EXAMPLES))
    return f"{len(gaps)} of {pluralize(targets, 'target')} of {up} down for longer than max_gap, such as {examples}"


def _find_gaps(targets: Mapping[str, _Target], gaps: Callable[[_Target], Iterable[Gap]]) -> Mapping[str, Gap]:
    """The longest gap of each target that has any."""
    return {labels: gap for labels, target in targets.items() if (gap := _longest(gaps(target))) is not None}


def _longest(gaps: Iterable[Gap]) -> Gap | None:
    return max(gaps, key=lambda gap: gap.length, default=None)


def _gaps(times: Sequence[int], start: int, end: int, max_gap: int) -> Iterator[Gap]:
    """Between the times, and between them and the ends of the period.

    The one that the period begins with counts from the last time before, if it ends: a counter's difference across it
    is unknown. Otherwise each longer ``max_gap`` would make it longer.

    :param times: ascending, and none more than ``max_gap`` before the start; those after the end do not count.
    """
    first, last = bisect.bisect_left(times, start), bisect.bisect_left(times, end)
    inner = times[first:last]
    before = times[first - 1] if first and inner else start
    for earlier, later in itertools.pairwise([before, *inner, end]):
        if later - earlier > max_gap:
            yield Gap(earlier, later)


def _interruptions(target: _Target, start: int, end: int, max_gap: int) -> Iterator[Gap]:
    """The gaps after a successful scrape in which scrapes failed, or which end with another.

    A target that is gone without a failed scrape was removed.
    """
    for gap in _gaps(target.up, start, end, max_gap):
        was_up = bool(target.up) and target.up[0] <= gap.start
        if was_up and (gap.end < end or _any_in(target.down, gap.start, gap.end)):
            yield gap


def _absence(target: _Target, start: int, end: int, max_gap: int) -> Iterator[Gap]:
    """The gaps in which scrapes failed."""
    return (gap for gap in _gaps(target.up, start, end, max_gap) if _any_in(target.down, gap.start, gap.end))


def _any_in(times: Iterable[int], start: int, end: int) -> bool:
    return any(start <= time <= end for time in times)
