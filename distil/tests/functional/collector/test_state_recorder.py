# SPDX-License-Identifier: Apache-2.0
"""States of projects and rosters, run by run."""

import datetime
from typing import Any

import sqlalchemy as sa

from distil.collector.plan import Plan
from distil.collector.projects import CollectedProjects
from distil.db import models
from distil.tests.functional.collector.test_departures import HOUR
from distil.tests.functional.collector.test_departures import NOW
from distil.tests.functional.collector.test_departures import DepartureTestCase


class StateRecorderTest(DepartureTestCase):
    def setUp(self) -> None:
        super().setUp()
        with self.engine.begin() as connection:
            connection.execute(sa.delete(models.project_states))
            connection.execute(sa.delete(models.rosters))

    def run_at(
        self, now: datetime.datetime, collector: str = "default", plan: Plan | None = None, **scope: Any
    ) -> CollectedProjects:
        """Projects begin with the run, so that there are hardly any windows to store."""
        return super().run_at(now, collector, plan or Plan(max_collection_start_age=0), **scope)

    def test_steady_run_adds_only_a_roster(self) -> None:
        self.run_at(NOW)
        before = self.rows(models.project_states)
        self.run_at(NOW + HOUR)
        self.assertEqual(before, self.rows(models.project_states))
        self.assertEqual({"enabled"}, {row.state for row in before})
        first, second = self.rows(models.rosters)
        self.assertEqual((12, first.digest), (second.projects, second.digest))
        self.assertEqual([NOW, NOW + HOUR], [first.taken, second.taken])

    def test_process_of_same_collector_is_no_error(self) -> None:
        self.run_at(NOW)
        with self.assertNoLogs("distil.collector.state_recorder"):
            self.run_at(NOW)
        self.assertEqual(1, len(self.rows(models.rosters)))

    def test_disabled_is_told_from_gone(self) -> None:
        self.run_at(NOW)
        self.cloud.projects.delete(self.gone)
        self.cloud.projects.update(self.other, {"enabled": False})
        self.run_at(NOW + HOUR)
        self.run_at(NOW + 2 * HOUR)
        self.assertEqual([("enabled", NOW), ("gone", NOW + HOUR)], self.states(self.gone))
        self.assertEqual([("enabled", NOW), ("disabled", NOW + HOUR)], self.states(self.other))

    def test_enabled_again_is_noticed(self) -> None:
        self.run_at(NOW)
        self.cloud.projects.update(self.other, {"enabled": False})
        self.run_at(NOW + HOUR)
        self.cloud.projects.update(self.other, {"enabled": True})
        self.run_at(NOW + 2 * HOUR)
        self.assertEqual(["enabled", "disabled", "enabled"], [state for state, _ in self.states(self.other)])

    def test_collectors_do_not_flip_states(self) -> None:
        for hour in range(3):
            self.run_at(NOW + 2 * hour * HOUR, "a", include_projects=self.gone)
            self.run_at(NOW + (2 * hour + 1) * HOUR, "b", ignore_projects=self.gone)
        self.assertEqual([("enabled", NOW)], self.states(self.gone))
        self.assertEqual([("out_of_scope", NOW), ("enabled", NOW + HOUR)], self.states(self.other))

    def test_project_that_leaves_scope_is_noticed(self) -> None:
        self.run_at(NOW)
        self.run_at(NOW + HOUR, ignore_projects=self.gone)
        self.assertEqual([("enabled", NOW), ("out_of_scope", NOW + HOUR)], self.states(self.gone))

    def test_failure_does_not_stop_billing(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE project_states RENAME TO missing_states"))
        self.addCleanup(self.rename_back)
        with self.assertLogs("distil.collector.state_recorder", "WARNING"):
            loaded = self.run_at(NOW)
        self.assertEqual(12, loaded.in_scope)

    def rename_back(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE missing_states RENAME TO project_states"))

    def states(self, project_id: str) -> list[tuple[object, object]]:
        rows = self.rows(models.project_states)
        return [(row.state, row.since) for row in rows if row.tenant_id == project_id]

    def rows(self, table: sa.Table) -> list[sa.Row[tuple[object, ...]]]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(table).order_by(*table.primary_key.columns)))
