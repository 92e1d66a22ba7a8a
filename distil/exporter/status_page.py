# SPDX-License-Identifier: Apache-2.0
"""What becomes of a collector, for people."""

import datetime
from collections.abc import Callable
from collections.abc import Sequence

import jinja2

from distil.exporter.chart import HEIGHT
from distil.exporter.chart import Chart
from distil.exporter.chart import chart
from distil.exporter.health import reasons
from distil.exporter.resource import NO_STORE_HEADERS
from distil.exporter.resource import CoalescedRender
from distil.exporter.resource import Response
from distil.exporter.text import format_duration
from distil.monitoring.history import RunOutcome
from distil.monitoring.history import RunResult
from distil.monitoring.history import Snapshot

_HTML = "text/html; charset=utf-8"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer", **NO_STORE_HEADERS}

# Rows of projects behind: a cloud has thousands, which are all behind when telemetry is away.
MAX_PROJECTS = 50


class StatusPage:
    """HTML without scripts, and without anything from elsewhere.

    :param clock: the time, aware and in UTC.
    """

    def __init__(self, snapshot: Callable[[], Snapshot], clock: Callable[[], datetime.datetime]) -> None:
        self._snapshot = snapshot
        self._clock = clock
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("distil.exporter"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["span"] = format_duration
        self._template = environment.get_template("status.html")
        self._rendering = CoalescedRender(self._render)

    def render(self, accept: str) -> Response:
        return Response(_HTML, self._rendering.body(), headers=_HEADERS)

    def _render(self) -> bytes:
        now = self._clock()
        snapshot = self._snapshot()
        page = self._template.render(
            now=now,
            at=snapshot,
            reasons=reasons(snapshot, now),
            charts=_charts(snapshot.runs),
            chart_height=HEIGHT,
            outcomes=tuple(RunOutcome),
            most_projects=MAX_PROJECTS,
        )
        # Names and reasons come from outside, and may hold what is no UTF-8.
        return page.encode(errors="replace")


def _charts(runs: Sequence[RunResult]) -> Sequence[Chart]:
    if not runs:
        return ()
    return (
        chart(
            "Duration", runs, lambda run: _duration(run).total_seconds(), lambda run: format_duration(_duration(run))
        ),
        chart("Windows committed", runs, lambda run: run.windows, lambda run: f"{run.windows:,}"),
    )


def _duration(run: RunResult) -> datetime.timedelta:
    return (run.ended or run.started) - run.started
