# SPDX-License-Identifier: Apache-2.0
"""Metrics and history of a run, however it ends."""

import datetime
import math
import unittest
from collections import Counter
from decimal import Decimal

from distil import exceptions
from distil import model
from distil.monitoring.history import History
from distil.monitoring.history import RunOutcome
from distil.monitoring.metrics import Metrics
from distil.monitoring.metrics import RetryStep
from distil.monitoring.project_states import LaggingProject
from distil.monitoring.project_states import ProjectState
from distil.monitoring.project_states import ProjectStates
from distil.monitoring.run import RunMonitor

NOW = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
MINUTE = datetime.timedelta(minutes=1)
PROJECT = model.Project("p1", "one", "d")
WINDOW = model.Window(NOW - HOUR, NOW)
EMPTY = model.RatedWindow((), (), (), {}, samples=0, used=(), untrusted=0)
LAGGING = LaggingProject("p1", "one", NOW - HOUR, 1)


class RunMonitorTest(unittest.TestCase):
    def setUp(self) -> None:
        self.now = NOW
        self.metrics = Metrics({"distil": "0"})
        self.history = History("default", "0", HOUR, NOW)
        self.monitor = RunMonitor(self.metrics, self.history, lambda: self.now)

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"distil_collector_{name}", labels)

    def assert_ended(self, outcome: RunOutcome) -> None:
        """The last run is known to have ended so, in both places."""
        snapshot = self.history.snapshot()
        self.assertIsNone(snapshot.current)
        self.assertEqual((outcome, self.now), (snapshot.runs[0].outcome, snapshot.runs[0].ended))
        self.assertEqual(1, self.value("runs_total", outcome=outcome))

    def test_run_without_failures_is_complete(self) -> None:
        with self.monitor.run():
            self.now += MINUTE
        self.assert_ended(RunOutcome.COMPLETE)
        times = ("last_run_start", "last_run_end", "last_complete_run_timestamp_seconds")
        self.assertEqual([NOW.timestamp(), *[self.now.timestamp()] * 2], [self.value(name) for name in times])
        self.assertEqual(60, self.value("last_run_duration_seconds"))

    def test_run_with_failed_project_is_partial(self) -> None:
        with self.monitor.run():
            self.monitor.fail("p1", exceptions.TelemetryError("no answer"))
        self.assert_ended(RunOutcome.PARTIAL)
        self.assertEqual(
            (NOW.timestamp(), 0), (self.value("last_run_end"), self.value("last_complete_run_timestamp_seconds"))
        )
        self.assertEqual(1, self.value("windows_total", outcome="failed"))
        self.assertEqual(1, self.history.snapshot().runs[0].failed)

    def test_failed_run_records_problem(self) -> None:
        with self.assertRaises(exceptions.IdentityError), self.monitor.run():
            raise exceptions.IdentityError("no response")
        self.assert_ended(RunOutcome.FAILED)
        self.assertEqual("no response", self.history.snapshot().runs[0].problem)
        self.assertEqual((NOW.timestamp(), 0), (self.value("last_run_start"), self.value("last_run_end")))

    def test_planning_ends_series_of_gone_projects(self) -> None:
        self.metrics.count_usage("p1", [model.Usage("c1", "r1", "hour", Decimal(1))])
        for hours, in_scope, has_series in ((0, {"p1": NOW}, True), (1, {}, True), (24, {}, True), (25, {}, False)):
            self.now = NOW + hours * HOUR
            self.monitor.planned(in_scope, projects=len(in_scope), due=0, windows=0, paused=False)
            self.assertEqual(has_series, b"p1" in self.metrics.usage_series(), hours)

    def test_run_that_collects_nothing_is_paused(self) -> None:
        with self.monitor.run():
            self.monitor.planned({}, projects=2, due=9, windows=0, paused=True)
        self.assert_ended(RunOutcome.PAUSED)
        self.assertEqual(
            (NOW.timestamp(), 0), (self.value("last_run_end"), self.value("last_complete_run_timestamp_seconds"))
        )
        with self.monitor.run():
            self.now += MINUTE
        self.assert_ended(RunOutcome.COMPLETE)

    def test_departed_projects_are_told_apart(self) -> None:
        with self.monitor.run():
            self.monitor.planned({}, projects=7, due=9, windows=9, paused=False, departing=2, missing=3)
        states = {state: self.value("departed_projects", state=state) for state in ("collected", "missing")}
        self.assertEqual(({"collected": 2, "missing": 3}, 7), (states, self.value("projects_in_scope")))
        self.assertTrue(str(self.monitor.result).startswith("7 projects and 2 departed: "))
        self.assertTrue(str(self.monitor.result).endswith("; 3 projects missing"))
        self.assert_ended(RunOutcome.PARTIAL)

    def test_held_projects_are_counted(self) -> None:
        for held, expected in ((True, 1), (False, 0)):
            with self.monitor.run():
                if held:
                    self.monitor.fail("p1", exceptions.MetersVanished("meter m vanished"))
                self.monitor.fail("p2", exceptions.TelemetryError("no response"))
                states = ProjectStates.of([PROJECT], {}, {}, self.monitor.failures, set())
                self.monitor.set_project_states(states, {}, self.monitor.failures)
            self.assertEqual(expected, self.value("projects_held"))

    def test_empty_and_suspect_windows_are_counted(self) -> None:
        with self.monitor.run():
            self.monitor.committed(PROJECT, WINDOW, EMPTY, 0.1)
            self.monitor.committed(PROJECT, WINDOW, EMPTY, 0.1, suspect=True)
        self.assertEqual((2, 1), (self.value("windows_empty_total"), self.value("windows_suspect_total")))

    def test_unmatched_scope_entries_are_counted(self) -> None:
        with self.monitor.run():
            self.monitor.planned({}, projects=7, due=9, windows=9, paused=False, unmatched=["no domain x"])
        self.assertEqual(1, self.value("scope_entries_unmatched"))
        self.assertEqual(("no domain x",), self.history.snapshot().runs[0].unmatched)

    def test_retried_planning_has_problem_meanwhile(self) -> None:
        with self.monitor.run():
            self.monitor.retried(RetryStep.PLAN, "Planning: attempt 1 failed: HTTP 503")
            current = self.history.snapshot().current
            assert current
            self.assertEqual("Planning: attempt 1 failed: HTTP 503", current.problem)
            self.monitor.planned({}, projects=7, due=9, windows=9, paused=False)
            self.assertIsNone(self.monitor.result.problem)

    def test_problems_are_redacted(self) -> None:
        error = exceptions.StoreError("https://user:secret@host refused")
        redacted = "https://user:***@host refused"
        with self.assertRaises(exceptions.StoreError), self.monitor.run():
            self.monitor.retried(RetryStep.PLAN, str(error))
            self.assertEqual(redacted, self.monitor.result.problem)
            self.monitor.fail("p1", error)
            self.assertEqual({"p1": redacted}, dict(self.monitor.failures))
            raise error
        self.assertEqual(redacted, self.monitor.result.problem)

    def test_lagging_projects_are_unknown_before(self) -> None:
        self.assertIsNone(self.history.snapshot().lagging)
        with self.assertRaises(exceptions.StoreError), self.monitor.run():
            raise exceptions.StoreError("refused")
        self.assertIsNone(self.history.snapshot().lagging)

    def test_unknown_number_of_projects_is_nan(self) -> None:
        number = self.value("projects_in_scope")
        assert number is not None
        self.assertTrue(math.isnan(number))

    def test_exception_without_message_is_named(self) -> None:
        with self.assertRaises(KeyError), self.monitor.run():
            raise KeyError
        self.assertEqual("KeyError()", self.history.snapshot().runs[0].problem)

    def test_shutdown_marks_run_stopped(self) -> None:
        for error in (exceptions.ShutdownRequested(""), SystemExit(1)):
            with self.subTest(error=error), self.assertRaises(type(error)), self.monitor.run():
                raise error
            self.assertEqual(RunOutcome.STOPPED, self.history.snapshot().runs[0].outcome)
        self.assertEqual(2, self.value("runs_total", outcome="stopped"))
        self.assertEqual(0, self.value("last_run_end"))

    def test_ongoing_run_is_current(self) -> None:
        with self.monitor.run():
            self.monitor.planned({}, projects=2, due=9, windows=4, paused=False)
            current = self.history.snapshot().current
            assert current
            self.assertEqual(
                (self.monitor.result.id, NOW, 2, 9), (current.id, current.started, current.projects, current.due)
            )
            self.assertRegex(current.id, "^req-[0-9a-f-]{36}$")
            self.assertEqual(2, self.value("projects_in_scope"))

    def test_progress_updates_are_throttled(self) -> None:
        with self.monitor.run():
            self.monitor.committed(PROJECT, WINDOW, EMPTY, 0.1)
            self.assertEqual(0, self.current_windows())
            self.monitor._updated -= 1
            self.monitor.committed(PROJECT, WINDOW, EMPTY, 0.1)
            self.assertEqual(2, self.current_windows())
        self.assertEqual(2, self.history.snapshot().runs[0].windows)

    def current_windows(self) -> int:
        current = self.history.snapshot().current
        assert current
        return current.windows

    def test_lagging_projects_survive_failed_run(self) -> None:
        with self.monitor.run():
            counts = Counter({ProjectState.BEHIND: 1, ProjectState.UP_TO_DATE: 3})
            self.monitor.set_project_states(ProjectStates(counts, (LAGGING,)), {}, {})
        with self.assertRaises(exceptions.StoreError), self.monitor.run():
            raise exceptions.StoreError("gone")
        self.assertEqual((LAGGING,), self.history.snapshot().lagging)
        states = {state: self.value("projects", state=state) for state in ProjectState}
        self.assertEqual({"up_to_date": 3, "behind": 1, "failed": 0, "skipped": 0}, states)
        self.assertEqual(1, self.value("windows_due"))

    def test_next_run_is_computed_on_demand(self) -> None:
        self.monitor.set_next_run(lambda: self.now + HOUR)
        self.now += MINUTE
        self.assertEqual((NOW + HOUR + MINUTE).timestamp(), self.value("next_run_timestamp_seconds"))
        self.assertEqual(NOW + HOUR + MINUTE, self.history.snapshot().next_run)
