# SPDX-License-Identifier: Apache-2.0
"""One question about several projects and windows, whose answer is cut up here."""

import datetime
import threading
from collections.abc import Sequence

from oslo_log import log

from distil import model
from distil.cloud import http
from distil.collector.stop import Stop
from distil.telemetry.base import TelemetryDriver

LOG = log.getLogger(__name__)

Samples = list[model.Sample | model.RejectedSample]

# Samples by project id, and for each window in its order.
Answer = dict[str, list[Samples]]

# Samples that an answer is meant to hold, and those with which it is given up, because they do not fit into memory.
# With more a thread takes longer for each: they do not fit into a processor's cache either.
_WANTED = 2_000
_TOO_MANY = 4 * _WANTED

# Windows, of all projects together, that one question is about at most.
_MOST = 60

# What each joint answer adds to that bound, after a question that failed has halved it. A service that answers short
# questions only is asked one in vain now and then.
_MORE = 1.02

# Part that the newest answer has in what the next one is expected to be.
_NEWEST = 0.3


class Questions:
    """Asks about as much at once as fits into memory. Threads may share it.

    An answer that cannot be had or cut up costs nothing: each of its windows is asked for alone then, as
    :class:`distil.collector.window.Visit` does.
    """

    def __init__(self, telemetry: TelemetryDriver, meters: Sequence[str], stop: Stop) -> None:
        self._telemetry = telemetry
        self._meters = meters
        self._stop = stop
        self._lock = threading.Lock()
        # Samples of one project in one window; None: nothing is known yet.
        self._expected: float | None = None
        self._most = float(_MOST)

    @property
    def fitting(self) -> int:
        """How many windows, of all projects together, the next question is to be about: at least one."""
        expected = _WANTED if self._expected is None else max(1.0, self._expected)
        return max(1, min(int(self._most), int(_WANTED / expected)))

    def alone(self, project_id: str, window: model.Window) -> Samples:
        """The samples of one window.

        :raises TelemetryError: there is no answer.
        """
        answer = self._gathered([project_id], window.start, window.end, at_most=None) or []
        self._learn(len(answer), 1)
        return answer

    def together(self, project_ids: Sequence[str], windows: Sequence[model.Window]) -> Answer | None:
        """The samples of adjacent windows of equal length. None: they have to be asked for alone."""
        number = len(project_ids) * len(windows)
        if number == 1:
            return None
        try:
            gathered = self._gathered(project_ids, windows[0].start, windows[-1].end, _TOO_MANY)
            answer = None if gathered is None else _cut(gathered, project_ids, windows)
        except Exception as error:
            # Whatever it is: what one project's data bring to light must not cost the others anything.
            LOG.warning("%d windows are asked for one by one, because all at once failed: %s", number, error)
            with self._lock:
                self._most = max(1, number // 2)
            return None
        if gathered is None:
            LOG.debug("%d windows are asked for one by one: together they have over %d samples.", number, _TOO_MANY)
            self._learn(_TOO_MANY, 1)
            return None
        self._learn(len(gathered), number)
        return answer

    def _gathered(
        self, project_ids: Sequence[str], start: datetime.datetime, end: datetime.datetime, at_most: int | None
    ) -> Samples | None:
        """:returns: all of them, or None where there are more than that."""
        gathered: Samples = []
        with http.asking(self._telemetry.service_type):
            for sample in self._telemetry.samples(project_ids, self._meters, start, end):
                if not len(gathered) % 1000:
                    self._stop.live()
                    if at_most is not None and len(gathered) >= at_most:
                        return None
                gathered.append(sample)
        return gathered

    def _learn(self, samples: int, windows: int) -> None:
        with self._lock:
            if windows > 1 or self._most < 2:  # noqa: PLR2004 - else no joint question would ever be asked again
                self._most = min(_MOST, self._most * _MORE)
            newest = samples / windows
            self._expected = newest if self._expected is None else newest * _NEWEST + self._expected * (1 - _NEWEST)


def _cut(samples: Samples, project_ids: Sequence[str], windows: Sequence[model.Window]) -> Answer | None:
    """None where it cannot be told which project or window a sample that is to be rejected belongs to."""
    answer: Answer = {project_id: [[] for _ in windows] for project_id in project_ids}
    start, length = windows[0].start, windows[0].end - windows[0].start
    numbers: dict[datetime.datetime, int] = {}
    for sample in samples:
        moment = sample.timestamp if isinstance(sample, model.Sample) else _moment(sample)
        if moment is None or sample.project_id not in answer:
            return None
        number = numbers.get(moment)
        if number is None:
            number = numbers[moment] = (moment - start) // length
        if not 0 <= number < len(windows):
            return None
        answer[sample.project_id][number].append(sample)
    return answer


def _moment(sample: model.RejectedSample) -> datetime.datetime | None:
    try:
        return model.parse_time(sample.document.get("timestamp"))
    except ValueError:
        return None
