# SPDX-License-Identifier: Apache-2.0
"""When a collector is healthy, and the response to a health check."""

import dataclasses
import json
import unittest
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from distil.exporter.health import HealthState
from distil.exporter.health import assess
from distil.exporter.health_page import HealthPage
from distil.monitoring.history import RunOutcome
from distil.monitoring.history import RunResult
from distil.monitoring.history import Snapshot
from distil.tests.support import snapshots
from distil.tests.support.snapshots import HOUR
from distil.tests.support.snapshots import MINUTE
from distil.tests.support.snapshots import NOW
from distil.tests.support.snapshots import run
from distil.tests.unit.test_escaping import HOSTILE

OLD = NOW - 100 * HOUR


class HealthReasonsTest(unittest.TestCase):
    def assert_healthy(self, **values: Any) -> None:
        self.assertEqual([], assess(snapshots.snapshot(**values), NOW).reasons)

    def assert_unhealthy(self, *expected: str, **values: Any) -> None:
        reasons = assess(snapshots.snapshot(**values), NOW).reasons
        self.assertEqual(len(expected), len(reasons), reasons)
        for text, reason in zip(expected, reasons, strict=True):
            self.assertIn(text, reason)

    def test_new_process_is_healthy(self) -> None:
        self.assert_healthy()

    def test_regular_runs_are_healthy(self) -> None:
        for outcome in (RunOutcome.COMPLETE, RunOutcome.PARTIAL, RunOutcome.PAUSED):
            self.assert_healthy(started=OLD, runs=(run(HOUR, outcome),))

    def test_two_intervals_since_success_is_unhealthy(self) -> None:
        self.assert_healthy(started=OLD, runs=(run(2 * HOUR + 2 * MINUTE),))
        self.assert_unhealthy(
            "complete or partial run since 2026-11-24 10:29:00", started=OLD, runs=(run(123 * MINUTE),)
        )

    def test_two_intervals_without_run_is_unhealthy(self) -> None:
        self.assert_healthy(started=NOW - 2 * HOUR)
        self.assert_unhealthy("since 2026-11-24 10:29:59", started=NOW - 2 * HOUR - timedelta(seconds=1))

    def test_short_interval_allows_ten_minutes(self) -> None:
        second = timedelta(seconds=1)
        self.assert_healthy(interval=second, started=OLD, runs=(run(12 * MINUTE),))
        self.assert_unhealthy("complete or partial", interval=second, started=OLD, runs=(run(12 * MINUTE + second),))

    def test_failed_run_is_unhealthy_until_success(self) -> None:
        failed = run(2 * MINUTE, RunOutcome.FAILED, problem="identity: HTTP 503")
        self.assert_unhealthy("failed: identity: HTTP 503", runs=(failed, run(HOUR)))
        self.assert_unhealthy("HTTP 503", runs=(run(MINUTE, RunOutcome.STOPPED), failed, run(HOUR)))
        self.assert_unhealthy("HTTP 503", runs=(failed,), current=run(MINUTE, None))
        self.assert_healthy(runs=(run(MINUTE, RunOutcome.PARTIAL), failed))

    def test_committing_run_is_healthy_despite_failure(self) -> None:
        failed = run(6 * HOUR, RunOutcome.FAILED, problem="identity: HTTP 503")
        self.assert_healthy(started=OLD, runs=(failed,), current=run(3 * HOUR, None, windows=1, due=9))
        stuck = run(3 * HOUR, None, due=9)
        self.assert_unhealthy("failed", "complete or partial", started=OLD, runs=(failed,), current=stuck)

    def test_run_over_four_intervals_is_unhealthy(self) -> None:
        self.assert_healthy(started=OLD, current=self.catching_up(4 * HOUR))
        self.assert_unhealthy("still running after 4 h 1 min", started=OLD, current=self.catching_up(4 * HOUR + MINUTE))

    def test_short_interval_allows_hour_long_run(self) -> None:
        self.assert_healthy(interval=MINUTE, started=OLD, current=self.catching_up(HOUR))
        self.assert_unhealthy("1 h 1 min", interval=MINUTE, started=OLD, current=self.catching_up(HOUR + MINUTE))

    def test_failed_project_keeps_collector_healthy(self) -> None:
        self.assert_healthy(lagging=(snapshots.lagging_project(problem="HTTP 503", hours=500),))

    def catching_up(self, age: timedelta) -> RunResult:
        return run(age, None, windows=5, due=9)


class WarningsTest(unittest.TestCase):
    def assert_warnings(self, *expected: str, state: HealthState = HealthState.HEALTHY, **values: Any) -> None:
        health = assess(snapshots.snapshot(**values), NOW)
        self.assertEqual((state, [*expected]), (health.state, health.warnings))

    def test_missing_projects_are_told(self) -> None:
        runs = (run(MINUTE, RunOutcome.STOPPED), run(HOUR, RunOutcome.PARTIAL, missing=30))
        self.assert_warnings(
            "30 projects are missing in Keystone's list or in the scope, and not collected. The log says why.",
            runs=runs,
        )
        self.assert_warnings(runs=(run(MINUTE), *runs))

    def test_unmatched_scope_entries_are_told(self) -> None:
        self.assert_warnings(
            "Scope: domain 'x' does not exist.", runs=(run(HOUR, unmatched=("domain 'x' does not exist",)),)
        )

    def test_process_without_runs_is_starting(self) -> None:
        starting = "Starting: no run has ended yet."
        self.assert_warnings(starting, state=HealthState.STARTING)
        self.assert_warnings(starting, state=HealthState.STARTING, runs=(run(HOUR, RunOutcome.STOPPED),))
        self.assert_warnings(current=run(MINUTE, None, windows=1, due=9))

    def test_failed_attempt_of_run_is_told(self) -> None:
        problem = "Planning: attempt 1 failed: database: refused"
        retrying = f"The run started at 2026-11-24 12:29:00 UTC is retrying: {problem}"
        self.assert_warnings(retrying, runs=(run(HOUR),), current=run(MINUTE, None, problem=problem))


class HealthResponseTest(unittest.TestCase):
    HEALTHY = snapshots.snapshot(runs=(run(HOUR),))
    FAILED = snapshots.snapshot(runs=(run(MINUTE, RunOutcome.FAILED, problem="no answer\ud800"),))

    def response(self, snapshot: Snapshot, accept: str = "*/*") -> tuple[HTTPStatus, str, str]:
        response = HealthPage(lambda: snapshot, snapshots.clock).render(accept)
        self.assertEqual("no-store", response.headers["Cache-Control"])
        return response.status, response.content_type, response.body.decode()

    def test_default_response_is_plain_text(self) -> None:
        for accept in ("", "*/*", "text/html,application/xhtml+xml,*/*;q=0.8", "application/jsonlines"):
            self.assertEqual((HTTPStatus.OK, "text/plain; charset=utf-8", "OK"), self.response(self.HEALTHY, accept))

    def test_unhealthy_returns_503_with_reason(self) -> None:
        status, _, body = self.response(self.FAILED)
        self.assertEqual(HTTPStatus.SERVICE_UNAVAILABLE, status)
        self.assertEqual("The run started at 2026-11-24 12:29:00 UTC failed: no answer\\ud800", body)

    def test_each_reason_is_one_line(self) -> None:
        problem = "".join(HOSTILE)
        snapshot = snapshots.snapshot(runs=(run(MINUTE, RunOutcome.FAILED, problem=problem),))
        expected = f"The run started at 2026-11-24 12:29:00 UTC failed: {''.join(HOSTILE.values())}"
        self.assertEqual(expected, self.response(snapshot)[2])

    def test_warnings_follow_the_health(self) -> None:
        for without, expected in ((self.HEALTHY, 200), (self.FAILED, 503)):
            snapshot = dataclasses.replace(without, problems=("The log is full",))
            status, _, body = self.response(snapshot)
            self.assertEqual((expected, "The log is full"), (status, body.splitlines()[-1]))
            status, _, body = self.response(snapshot, "application/json")
            self.assertEqual((expected, "The log is full"), (status, json.loads(body)["reasons"][-1]))

    def test_paused_collector_says_so(self) -> None:
        snapshot = snapshots.snapshot(
            runs=(run(MINUTE, RunOutcome.STOPPED), run(HOUR, RunOutcome.PAUSED), run(2 * HOUR))
        )
        status, _, body = self.response(snapshot)
        self.assertEqual(
            (HTTPStatus.OK, "Paused: max_windows_per_cycle is 0. Nothing is collected; all windows stay due."),
            (status, body),
        )
        document = json.loads(self.response(snapshot, "application/json")[2])
        self.assertEqual((True, [body]), (document["healthy"], document["reasons"]))
        resumed = snapshots.snapshot(runs=(run(MINUTE), *snapshot.runs))
        self.assertEqual("OK", self.response(resumed)[2])

    def test_json_includes_reasons(self) -> None:
        for snapshot, healthy, status in ((self.HEALTHY, True, 200), (self.FAILED, False, 503)):
            actual_status, content_type, body = self.response(snapshot, "text/x, application/json; q=0.5")
            self.assertEqual((status, "application/json"), (actual_status, content_type))
            document = json.loads(body)
            self.assertEqual(("default", healthy), (document["name"], document["healthy"]))
            self.assertEqual(healthy, document["reasons"] == ["OK"])

    def test_json_before_a_run_knows_nothing(self) -> None:
        document = json.loads(self.response(snapshots.snapshot(lagging=None), "application/json")[2])
        self.assertEqual((True, ["Starting: no run has ended yet."]), (document["healthy"], document["reasons"]))
        details = document["details"]
        self.assertEqual(
            (None, None, []), (details["projects_with_windows_due"], details["projects_failed"], details["failed"])
        )

    def test_json_lists_at_most_twenty_failures(self) -> None:
        failed = [snapshots.lagging_project(f"p{number}", f"problem {number}") for number in range(30)]
        snapshot = snapshots.snapshot(lagging=(snapshots.lagging_project("not-failed"), *failed))
        details = json.loads(self.response(snapshot, "application/json")[2])["details"]
        self.assertEqual((31, 30), (details["projects_with_windows_due"], details["projects_failed"]))
        self.assertEqual([f"p{number}" for number in range(20)], [project["name"] for project in details["failed"]])
        self.assertEqual("problem 0", details["failed"][0]["problem"])
        self.assertEqual("2026-11-24T10:30:00+00:00", details["failed"][0]["last_collected"])
