# SPDX-License-Identifier: Apache-2.0
"""Leases: they have one owner at a time, only the owner releases them, and they expire."""

import datetime
import time
import uuid

import sqlalchemy as sa

from distil import exceptions
from distil.coordination.leases import Claim
from distil.coordination.leases import LeasePartitioner
from distil.db import engine as db_engine
from distil.db import migration
from distil.db.leases import Leases
from distil.db.models import project_locks
from distil.monitoring.metrics import Metrics
from distil.tests.functional.db import test_races
from distil.tests.support import databases
from distil.tests.support.processes import wait_for

MINUTE = datetime.timedelta(minutes=1)
DUE = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)


class LeasesSQLiteTest(databases.DatabaseTestCase):
    def setUp(self) -> None:
        self.project_id = uuid.uuid4().hex
        self.mine = Leases(self.engine, f"mine-{self.project_id}")
        self.other = Leases(self.engine, f"other-{self.project_id}")

    def owner(self) -> str | None:
        with self.engine.connect() as connection:
            return connection.scalar(
                sa.select(project_locks.c.owner).where(project_locks.c.project_id == self.project_id)
            )

    def expire(self) -> None:
        statement = sa.update(project_locks).where(project_locks.c.project_id == self.project_id)
        with self.engine.begin() as connection:
            connection.execute(statement.values(expires=datetime.datetime.now(datetime.UTC) - MINUTE))

    def insert_legacy_lock(self, created: datetime.datetime) -> None:
        """Locks the project as releases before leases do."""
        row = {"project_id": self.project_id, "owner": "host-1", "created": created}
        with self.engine.begin() as connection:
            connection.execute(sa.insert(project_locks), row)

    def test_held_lease_cannot_be_acquired(self) -> None:
        self.assertTrue(self.mine.acquire(self.project_id))
        self.assertFalse(self.other.acquire(self.project_id))
        self.assertEqual(self.mine.owner, self.owner())

    def test_release_spares_other_owners_lease(self) -> None:
        self.mine.acquire(self.project_id)
        self.other.acquire(self.project_id)
        self.other.release(self.project_id)
        self.other.release_all()
        self.assertEqual(self.mine.owner, self.owner())
        self.assertFalse(self.other.acquire(self.project_id))

    def test_far_future_expiry_is_taken_over(self) -> None:
        self.mine.acquire(self.project_id)
        statement = sa.update(project_locks).where(project_locks.c.project_id == self.project_id)
        with self.engine.begin() as connection:
            connection.execute(statement.values(expires=datetime.datetime.now(datetime.UTC) + 10_000 * MINUTE))
        self.assertTrue(self.other.acquire(self.project_id))

    def test_released_lease_can_be_acquired(self) -> None:
        self.mine.acquire(self.project_id)
        self.mine.release(self.project_id)
        self.assertTrue(self.other.acquire(self.project_id))

    def test_release_all_releases_only_own_leases(self) -> None:
        self.mine.acquire(self.project_id)
        self.mine.acquire(f"{self.project_id}-2")
        self.other.acquire(f"{self.project_id}-3")
        self.mine.release_all()
        self.assertTrue(self.other.acquire(self.project_id))
        self.assertTrue(self.other.acquire(f"{self.project_id}-2"))
        self.assertFalse(self.mine.acquire(f"{self.project_id}-3"))

    def test_expired_lease_is_taken_over(self) -> None:
        self.mine.acquire(self.project_id)
        self.expire()
        with self.assertLogs("distil.db.leases", "INFO") as logs:
            self.assertTrue(self.other.acquire(self.project_id))
        self.assertIn(f"the lease of {self.mine.owner} has expired", logs.output[0])
        self.assertFalse(self.mine.renew(self.project_id))
        self.mine.release(self.project_id)
        self.assertEqual(self.other.owner, self.owner())

    def test_lease_expires_after_its_length(self) -> None:
        short = Leases(self.engine, "short", length=3)
        short.acquire(self.project_id)
        self.assertFalse(self.other.acquire(self.project_id))
        wait_for(lambda: self.other.acquire(self.project_id))

    def test_renewal_extends_expiry(self) -> None:
        short = Leases(self.engine, "short", length=3)
        short.acquire(self.project_id)
        for _ in range(4):
            time.sleep(1.2)
            self.assertTrue(short.renew(self.project_id))
            self.assertFalse(self.other.acquire(self.project_id))

    def test_expired_unclaimed_lease_can_be_renewed(self) -> None:
        self.mine.acquire(self.project_id)
        self.expire()
        self.assertTrue(self.mine.renew(self.project_id))
        self.assertFalse(self.other.acquire(self.project_id))

    def test_repeated_renewal_succeeds(self) -> None:
        self.mine.acquire(self.project_id)
        self.assertEqual([True] * 3, [self.mine.renew(self.project_id) for _ in range(3)])

    def test_owner_can_reacquire_its_lease(self) -> None:
        """As after an acquisition whose response was lost."""
        self.mine.acquire(self.project_id)
        self.assertTrue(self.mine.acquire(self.project_id))

    def test_legacy_lock_holds_for_one_hour(self) -> None:
        self.insert_legacy_lock(datetime.datetime.now(datetime.UTC) - 58 * MINUTE)
        self.assertFalse(self.mine.acquire(self.project_id))

    def test_legacy_lock_expires_after_one_hour(self) -> None:
        self.insert_legacy_lock(datetime.datetime.now(datetime.UTC) - 61 * MINUTE)
        self.assertTrue(self.mine.acquire(self.project_id))
        self.assertFalse(self.other.acquire(self.project_id))

    def test_concurrent_acquire_has_one_winner(self) -> None:
        for expired in (False, True) * 5:
            with self.subTest(expired=expired):
                self.project_id = uuid.uuid4().hex
                if expired:
                    self.mine.acquire(self.project_id)
                    self.expire()
                owners = [Leases(self.engine, f"owner-{number}") for number in range(test_races.THREADS)]
                won = test_races.at_once(lambda number, owners=owners: owners[number].acquire(self.project_id))  # type: ignore[misc]
                self.assertEqual([False] * (test_races.THREADS - 1) + [True], sorted(won), won)
                self.assertEqual(owners[won.index(True)].owner, self.owner())

    def test_concurrent_owners_never_share_lease(self) -> None:
        held: list[int] = []

        def work(number: int) -> int:
            mine = Leases(self.engine, f"owner-{number}")
            count = 0
            for _ in range(20):
                if mine.acquire(self.project_id):
                    held.append(number)
                    self.assertEqual([number], held)
                    held.remove(number)
                    mine.release(self.project_id)
                    count += 1
            return count

        counts = test_races.at_once(work)
        self.assertTrue(all(isinstance(count, int) for count in counts), counts)
        self.assertIsNone(self.owner())


class LeasesMySQLTest(LeasesSQLiteTest):
    BACKEND = databases.MYSQL


class LeasesPostgreSQLTest(LeasesSQLiteTest):
    BACKEND = databases.POSTGRESQL


class LeaseDowngradeSQLiteTest(databases.DatabaseTestCase):
    def test_downgrade_keeps_only_legacy_locks(self) -> None:
        Leases(self.engine, "mine").acquire("leased")
        with self.engine.begin() as connection:
            connection.execute(sa.insert(project_locks), {"project_id": "locked", "owner": "host-1", "created": DUE})
        migration.downgrade(self.engine, "007")
        self.addCleanup(migration.check, self.engine)
        self.addCleanup(migration.upgrade, self.engine)
        with self.engine.connect() as connection:
            rows = connection.execute(sa.text("SELECT * FROM project_locks")).mappings().all()
        self.assertEqual([{"created", "project_id", "owner"}], [set(row) for row in rows])
        self.assertEqual(["locked"], [row["project_id"] for row in rows])


class LeaseDowngradeMySQLTest(LeaseDowngradeSQLiteTest):
    BACKEND = databases.MYSQL


class LeaseDowngradePostgreSQLTest(LeaseDowngradeSQLiteTest):
    BACKEND = databases.POSTGRESQL


class LeasePartitionerTest(databases.DatabaseTestCase):
    def setUp(self) -> None:
        self.project_id = uuid.uuid4().hex
        self.leases = Leases(self.engine, f"mine-{self.project_id}")
        self.partitioner = LeasePartitioner(self.leases, Metrics({"distil": "0"}))
        self.other = Leases(self.engine, f"other-{self.project_id}")

    def test_close_releases_and_refuses_leases(self) -> None:
        with self.partitioner.claim(self.project_id, DUE) as claim:
            self.assertIs(Claim.HELD, claim)
            self.partitioner.stop()
            self.assertTrue(self.other.acquire(self.project_id))
        self.assertFalse(self.leases.acquire(self.project_id))
        with self.assertRaises(exceptions.ShutdownRequested), self.partitioner.claim("another project", DUE):
            self.fail("the claim succeeded")

    def test_exception_releases_lease(self) -> None:
        with self.assertRaises(ZeroDivisionError), self.partitioner.claim(self.project_id, DUE):
            raise ZeroDivisionError
        self.assertTrue(self.other.acquire(self.project_id))

    def test_database_failure_raises_store_error(self) -> None:
        engine = db_engine.create_engine("sqlite://")
        self.addCleanup(engine.dispose)
        broken = LeasePartitioner(Leases(engine, "mine"), Metrics({"distil": "0"}))
        with self.assertRaises(exceptions.StoreError), broken.claim(self.project_id, DUE):
            self.fail("the claim succeeded")
        with self.assertLogs("distil.coordination.leases", "WARNING"):
            broken.stop()
