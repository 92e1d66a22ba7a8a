# SPDX-License-Identifier: Apache-2.0
"""When a collector is healthy, and how it says so."""

import json
import unittest
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from distil.exporter.health import Health
from distil.exporter.health import reasons
from distil.monitoring.history import Outcome
from distil.monitoring.history import Run
from distil.monitoring.history import Snapshot
from distil.tests.unit.exporter import snapshots
from distil.tests.unit.exporter.snapshots import HOUR
from distil.tests.unit.exporter.snapshots import MINUTE
from distil.tests.unit.exporter.snapshots import NOW
from distil.tests.unit.exporter.snapshots import run

OLD = NOW - 100 * HOUR


class ReasonsTest(unittest.TestCase):
    def assert_healthy(self, **values: Any) -> None:
        self.assertEqual([], list(reasons(snapshots.snapshot(**values), NOW)))

    def assert_unhealthy(self, *expected: str, **values: Any) -> None:
        found = reasons(snapshots.snapshot(**values), NOW)
        self.assertEqual(len(expected), len(found), found)
        for text, reason in zip(expected, found, strict=True):
            self.assertIn(text, reason)

    def test_a_process_that_has_just_started_is(self) -> None:
        self.assert_healthy()

    def test_one_that_runs_at_its_interval_is(self) -> None:
        for outcome in (Outcome.COMPLETE, Outcome.PARTIAL):
            self.assert_healthy(started=OLD, runs=(run(HOUR, outcome),))

    def test_one_whose_last_good_run_ended_two_intervals_ago_is_not(self) -> None:
        self.assert_healthy(started=OLD, runs=(run(2 * HOUR + 2 * MINUTE),))
        self.assert_unhealthy("complete or partial since 2026-11-24 10:29:00", started=OLD, runs=(run(123 * MINUTE),))

    def test_one_that_has_ended_no_run_for_two_intervals_is_not(self) -> None:
        self.assert_healthy(started=NOW - 2 * HOUR)
        self.assert_unhealthy("since 2026-11-24 10:29:59", started=NOW - 2 * HOUR - timedelta(seconds=1))

    def test_short_intervals_are_given_ten_minutes(self) -> None:
        second = timedelta(seconds=1)
        self.assert_healthy(interval=second, started=OLD, runs=(run(12 * MINUTE),))
        self.assert_unhealthy("complete or partial", interval=second, started=OLD, runs=(run(12 * MINUTE + second),))

    def test_one_whose_last_run_failed_is_not_until_one_is_good(self) -> None:
        failed = run(2 * MINUTE, Outcome.FAILED, problem="identity: HTTP 503")
        self.assert_unhealthy("failed: identity: HTTP 503", runs=(failed, run(HOUR)))
        self.assert_unhealthy("HTTP 503", runs=(run(MINUTE, Outcome.STOPPED), failed, run(HOUR)))
        self.assert_unhealthy("HTTP 503", runs=(failed,), current=run(MINUTE, None))
        self.assert_healthy(runs=(run(MINUTE, Outcome.PARTIAL), failed))

    def test_one_that_commits_windows_is_whatever_was_before(self) -> None:
        failed = run(6 * HOUR, Outcome.FAILED, problem="identity: HTTP 503")
        self.assert_healthy(started=OLD, runs=(failed,), current=run(3 * HOUR, None, windows=1, due=9))
        stuck = run(3 * HOUR, None, due=9)
        self.assert_unhealthy("failed", "complete or partial", started=OLD, runs=(failed,), current=stuck)

    def test_one_whose_run_outlasts_four_intervals_is_not(self) -> None:
        self.assert_healthy(started=OLD, current=self.catching_up(4 * HOUR))
        self.assert_unhealthy("has lasted 4 h 1 min", started=OLD, current=self.catching_up(4 * HOUR + MINUTE))

    def test_runs_at_short_intervals_are_given_an_hour(self) -> None:
        self.assert_healthy(interval=MINUTE, started=OLD, current=self.catching_up(HOUR))
        self.assert_unhealthy("1 h 1 min", interval=MINUTE, started=OLD, current=self.catching_up(HOUR + MINUTE))

    def test_one_of_which_a_project_failed_is(self) -> None:
        self.assert_healthy(behind=(snapshots.behind(problem="HTTP 503", hours=500),))

    def catching_up(self, age: timedelta) -> Run:
        return run(age, None, windows=5, due=9)


class AnswerTest(unittest.TestCase):
    FAILED = snapshots.snapshot(runs=(run(MINUTE, Outcome.FAILED, problem="no answer\ud800"),))

    def answer(self, snapshot: Snapshot, accept: str = "*/*") -> tuple[HTTPStatus, str, str]:
        answer = Health(lambda: snapshot, snapshots.clock).answer(accept)
        self.assertEqual("no-store", answer.headers["Cache-Control"])
        return answer.status, answer.content_type, answer.body.decode()

    def test_it_is_ok_in_plain_text_unless_something_else_is_asked_for(self) -> None:
        for accept in ("", "*/*", "text/html,application/xhtml+xml,*/*;q=0.8", "application/jsonlines"):
            self.assertEqual(
                (HTTPStatus.OK, "text/plain; charset=utf-8", "OK"), self.answer(snapshots.snapshot(), accept)
            )

    def test_what_is_wrong_is_told_with_503(self) -> None:
        status, _, body = self.answer(self.FAILED)
        self.assertEqual(HTTPStatus.SERVICE_UNAVAILABLE, status)
        self.assertEqual("The run that started at 2026-11-24 12:29:00 UTC failed: no answer?", body)

    def test_json_has_the_reasons_too(self) -> None:
        for snapshot, healthy, status in ((snapshots.snapshot(), True, 200), (self.FAILED, False, 503)):
            got, content_type, body = self.answer(snapshot, "text/x, application/json; q=0.5")
            self.assertEqual((status, "application/json"), (got, content_type))
            document = json.loads(body)
            self.assertEqual(("default", healthy), (document["name"], document["healthy"]))
            self.assertEqual(healthy, document["reasons"] == ["OK"])

    def test_json_names_the_projects_that_failed_and_no_more_than_twenty(self) -> None:
        failed = [snapshots.behind(f"p{number}", f"problem {number}") for number in range(30)]
        snapshot = snapshots.snapshot(behind=(snapshots.behind("waits"), *failed))
        details = json.loads(self.answer(snapshot, "application/json")[2])["details"]
        self.assertEqual((31, 30), (details["projects_with_windows_due"], details["projects_failed"]))
        self.assertEqual([f"p{number}" for number in range(20)], [each["name"] for each in details["failed"]])
        self.assertEqual("problem 0", details["failed"][0]["problem"])
        self.assertEqual("2026-11-24T10:30:00+00:00", details["failed"][0]["last_collected"])
