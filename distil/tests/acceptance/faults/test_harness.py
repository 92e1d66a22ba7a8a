# SPDX-License-Identifier: Apache-2.0
"""The harness finds what it is there to find."""

import unittest

import sqlalchemy as sa

from distil.db import models
from faults import actions
from faults import instrumentation
from faults.actions import Fault
from faults.testbed import WINDOWS
from faults.testbed import World
from faults.trials import Result
from faults.trials import Suite
from faults.trials import Trial
from faults.trials import judge

TRIAL = Trial("tampering", 7, 1)


class Tampering(Suite):
    """A collector whose rows a statement then spoils."""

    name = "tampering"

    def __init__(self, statement: sa.Executable) -> None:
        self._statement = statement

    def trials(self, _: World) -> list[Trial]:
        return [TRIAL]

    def play(self, world: World, _: Trial) -> list[str]:
        world.start().wait()
        with world.engine.begin() as connection:
            connection.execute(self._statement)
        return []


class FaultHarnessTest(unittest.TestCase):
    world: World

    @classmethod
    def setUpClass(cls) -> None:
        cls.world = cls.enterClassContext(World(TRIAL.seed))

    def tamper(self, statement: sa.Executable) -> Result:
        return judge(self.world, Tampering(statement), TRIAL)

    def test_lost_row_is_reported_with_trial(self) -> None:
        result = self.tamper(sa.text("DELETE FROM usage_entry LIMIT 1"))
        self.assertEqual((1, 0), (len(result.difference.lost), len(result.difference.doubled)))
        self.assertIn("half a window: usage_entry lacks", str(result))
        self.assertIn("--suite tampering --seed 7 --point 1", str(result))

    def test_duplicate_row_is_reported(self) -> None:
        table = models.rejected_samples
        columns = [column for column in table.columns if column.name != "id"]
        copy = sa.insert(table).from_select(columns, sa.select(*columns).limit(1))
        result = self.tamper(copy)
        self.assertEqual((0, 1), (len(result.difference.lost), len(result.difference.doubled)))
        self.assertIn("half a window: rejected_samples has", str(result))

    def test_changed_volume_is_reported(self) -> None:
        result = self.tamper(sa.text("UPDATE usage_entry SET volume = volume + 0.000000001 LIMIT 1"))
        self.assertEqual((1, 1), (len(result.difference.lost), len(result.difference.doubled)))

    def test_usage_after_last_collected_is_reported(self) -> None:
        result = self.tamper(sa.text("UPDATE tenants SET last_collected = last_collected - INTERVAL 1 HOUR"))
        self.assertFalse(result.good)

    def test_undisturbed_run_passes(self) -> None:
        self.assertTrue(self.tamper(sa.text("SELECT 1")).good)

    def test_points_cover_every_write_and_request(self) -> None:
        points = self.world.passages[WINDOWS].points
        self.assertEqual(list(range(1, len(points) + 1)), [point.number for point in points])
        passed = {(point.phase, " ".join(point.what.split()[:3])) for point in points}
        for what in ("INSERT INTO usage_entry", "UPDATE tenants SET", "COMMIT", "POST /metering/v2/query/samples"):
            for phase in (instrumentation.BEFORE, instrumentation.MIDWAY, instrumentation.AFTER):
                self.assertIn((phase, what), passed)

    def test_next_run_completes_killed_run(self) -> None:
        first = next(point for point in self.world.passages[WINDOWS].points if point.what == "INSERT INTO usage_entry")
        self.world.wipe()
        self.assertEqual(-9, self.world.start(fault=Fault(first.number, actions.KILL)).wait())
        self.assertEqual(0, self.world.rows().tables["usage_entry"].total())
        self.assertEqual([], self.world.finish())
        self.assertEqual(self.world.undisturbed, self.world.rows())

    def test_hung_collector_times_out(self) -> None:
        collector = self.world.start(fault=Fault(1, actions.STOP))
        collector.wait()
        collector.stopped = False
        with self.assertRaises(TimeoutError):
            collector.wait(0.1)
        self.assertEqual(-9, collector.status)
