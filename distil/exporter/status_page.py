# SPDX-License-Identifier: Apache-2.0
"""The status page: the health, runs and lagging projects of one collector process, for people."""

import dataclasses
import datetime
from collections.abc import Callable
from collections.abc import Sequence

import jinja2

from distil.escaping import escape_control
from distil.exporter.health import assess
from distil.exporter.pages import NO_STORE_HEADERS
from distil.exporter.pages import CoalescedRender
from distil.exporter.pages import Response
from distil.monitoring.history import RunOutcome
from distil.monitoring.history import RunResult
from distil.monitoring.history import Snapshot
from distil.text import format_duration
from distil.text import format_timestamp

_HTML = "text/html; charset=utf-8"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer", **NO_STORE_HEADERS}

# Rows of the table of lagging projects. A cloud has thousands of projects, and all of them lag in an outage.
_MAX_PROJECTS = 50

# In units of the chart's view box, where bars are 1 apart.
_CHART_HEIGHT = 100.0
_MIN_CHART_WIDTH = 24
# A run with a value of 0 has a bar too.
_MIN_BAR_HEIGHT = 2.0


class StatusPage:
    """HTML without scripts and external resources.

    :param clock: returns the current time, in UTC.
    """

    def __init__(self, snapshot: Callable[[], Snapshot], clock: Callable[[], datetime.datetime]) -> None:
        self._snapshot = snapshot
        self._clock = clock
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("distil.exporter"),
            autoescape=True,
            finalize=_escape,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["duration"] = format_duration
        self._template = environment.get_template("status.html")
        self._rendering = CoalescedRender(self._render)

    def render(self, accept: str) -> Response:
        return Response(_HTML, self._rendering.body(), headers=_HEADERS)

    def _render(self) -> bytes:
        now = self._clock()
        snapshot = self._snapshot()
        page = self._template.render(
            now=now,
            snapshot=snapshot,
            health=assess(snapshot, now),
            charts=_charts(snapshot.runs),
            chart_height=_CHART_HEIGHT,
            outcomes=tuple(RunOutcome),
            max_projects=_MAX_PROJECTS,
        )
        return page.encode()


def _escape(value: object) -> object:
    """Names and reasons come from other services. What the templates' own macros return is not one of them."""
    return escape_control(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


@dataclasses.dataclass(frozen=True, slots=True)
class _Bar:
    """One run in a chart.

    :param x: left edge; the newest run is rightmost.
    :param title: tooltip.
    """

    x: int
    y: float
    height: float
    outcome: str
    title: str


@dataclasses.dataclass(frozen=True, slots=True)
class _Chart:
    """A bar chart of one quantity over the runs.

    :param peak: label of the highest bar.
    """

    title: str
    peak: str
    width: int
    bars: Sequence[_Bar]


def _charts(runs: Sequence[RunResult]) -> Sequence[_Chart]:
    if not runs:
        return ()
    durations = [(run.ended or run.started) - run.started for run in runs]
    seconds = [duration.total_seconds() for duration in durations]
    windows = [run.windows for run in runs]
    return (
        _chart("Duration", runs, seconds, [format_duration(duration) for duration in durations]),
        _chart("Windows committed", runs, windows, [f"{count:,}" for count in windows]),
    )


def _chart(title: str, runs: Sequence[RunResult], values: Sequence[float], labels: Sequence[str]) -> _Chart:
    """Draws one bar per run.

    :param runs: newest first; at least one.
    :param values: heights of the bars, in any unit.
    :param labels: the same values for people.
    """
    width = max(len(runs), _MIN_CHART_WIDTH)
    peak = max(values)
    scale = _CHART_HEIGHT / (peak or 1)
    bars = [
        _bar(run, width - 1 - index, value * scale, label)
        for index, (run, value, label) in enumerate(zip(runs, values, labels, strict=True))
    ]
    return _Chart(title, labels[values.index(peak)], width, bars)


def _bar(run: RunResult, x: int, height: float, label: str) -> _Bar:
    height = max(height, _MIN_BAR_HEIGHT)
    title = f"{format_timestamp(run.started)}: {label}, {run.outcome}"
    return _Bar(x, _CHART_HEIGHT - height, height, str(run.outcome), title)
