# SPDX-License-Identifier: Apache-2.0
"""Tests that the harness detects wrong rows, crashes and hangs."""

import unittest

import sqlalchemy as sa

from distil.db import models
from faults.actions import Action
from faults.actions import Fault
from faults.instrumentation import Phase
from faults.testbed import Testbed
from faults.testbed import running_testbed
from faults.trials import Trial
from faults.trials import TrialResult
from faults.trials import TrialSuite
from faults.trials import run_trial

TRIAL = Trial("tampering", 7, 1)
KILLED = -9


class TamperingSuite(TrialSuite):
    """Executes a statement after an undisturbed collector has ended."""

    name = "tampering"

    def __init__(self, statement: sa.Executable) -> None:
        self._statement = statement

    def trials(self, _: Testbed) -> list[Trial]:
        return [TRIAL]

    def inject(self, testbed: Testbed, _: Trial) -> list[str]:
        testbed.start().wait()
        with testbed.engine.begin() as connection:
            connection.execute(self._statement)
        return []


class FaultHarnessTest(unittest.TestCase):
    testbed: Testbed

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.testbed = cls.enterClassContext(running_testbed(TRIAL.seed))

    def _tamper(self, statement: sa.Executable) -> TrialResult:
        return run_trial(self.testbed, TamperingSuite(statement), TRIAL)

    def test_lost_row_is_reported_with_trial(self) -> None:
        result = self._tamper(sa.text("DELETE FROM usage_entry LIMIT 1"))
        self.assertEqual((1, 0), (len(result.difference.lost), len(result.difference.unexpected)))
        self.assertIn("partial window: usage_entry lacks", str(result))
        self.assertIn("--suite tampering --seed 7 --point 1", str(result))

    def test_duplicate_row_is_reported(self) -> None:
        table = models.rejected_samples
        columns = [column for column in table.columns if column.name != "id"]
        duplicate = sa.insert(table).from_select(columns, sa.select(*columns).limit(1))
        result = self._tamper(duplicate)
        self.assertEqual((0, 1), (len(result.difference.lost), len(result.difference.unexpected)))
        self.assertIn("partial window: rejected_samples has", str(result))

    def test_changed_volume_is_reported(self) -> None:
        result = self._tamper(sa.text("UPDATE usage_entry SET volume = volume + 0.000000001 LIMIT 1"))
        self.assertEqual((1, 1), (len(result.difference.lost), len(result.difference.unexpected)))

    def test_usage_after_last_collected_is_reported(self) -> None:
        result = self._tamper(sa.text("UPDATE tenants SET last_collected = last_collected - INTERVAL 1 HOUR"))
        self.assertFalse(result.passed)

    def test_fault_free_run_passes(self) -> None:
        self.assertTrue(self._tamper(sa.text("SELECT 1")).passed)

    def test_points_cover_every_write_and_request(self) -> None:
        points = self.testbed.points
        self.assertEqual(list(range(1, len(points) + 1)), [point.number for point in points])
        reached = {(point.phase, point.operation) for point in points}
        for operation in ("INSERT INTO usage_entry", "UPDATE tenants SET", "COMMIT", "POST /metering/v2/query/samples"):
            for phase in Phase:
                self.assertIn((phase, operation), reached)

    def test_next_run_completes_killed_run(self) -> None:
        first = next(point for point in self.testbed.points if point.operation == "INSERT INTO usage_entry")
        self.testbed.reset()
        self.assertEqual(KILLED, self.testbed.start(fault=Fault(first.number, Action.KILL)).wait())
        self.assertEqual(0, self.testbed.stored_rows().count("usage_entry"))
        self.assertEqual([], self.testbed.recover())
        self.assertEqual(self.testbed.expected_rows, self.testbed.stored_rows())

    def test_hung_collector_times_out(self) -> None:
        collector = self.testbed.start(fault=Fault(1, Action.PAUSE))
        collector.wait()
        collector.paused = False
        with self.assertRaises(TimeoutError):
            collector.wait(0.1)
        self.assertEqual(KILLED, collector.exit_status)
