# SPDX-License-Identifier: Apache-2.0
"""How a member treats projects of other members, and how it partitions projects without a ring."""

import contextlib
import datetime
import unittest
from collections.abc import Iterator

from distil import exceptions
from distil.coordination.hash_ring import HashRingPartitioner
from distil.coordination.leases import Claim
from distil.coordination.leases import LeasePartitioner
from distil.coordination.membership import HashRingMember

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


class FakeMember(HashRingMember):
    """Owns the project "mine"; fails while ``unavailable`` is set."""

    def __init__(self) -> None:
        self.unavailable = False
        self.owned = {"mine"}

    def refresh(self) -> None:
        if self.unavailable:
            raise exceptions.CoordinationError("no response")

    def belongs_to_self(self, project_id: str) -> bool:
        self.refresh()
        return project_id in self.owned

    def leave_group(self) -> None:
        """Does nothing."""


class FakeLeases(LeasePartitioner):
    """Grants every claim, and records the projects claimed."""

    def __init__(self) -> None:
        self.claimed: list[str] = []

    def holds(self, project_id: str) -> bool:
        return False

    @contextlib.contextmanager
    def claim(self, project_id: str, _due: datetime.datetime) -> Iterator[Claim]:
        self.claimed.append(project_id)
        yield Claim.HELD


class HashRingPartitionerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.member = FakeMember()
        self.leases = FakeLeases()
        self.partitioner = HashRingPartitioner(self.member, self.leases)

    def claim(self, project_id: str, due: datetime.datetime = START) -> Claim:
        with self.partitioner.claim(project_id, due) as claim:
            return claim

    def run_claims(self, due: datetime.datetime = START) -> tuple[Claim, Claim]:
        """Claims another member's project twice, as a run does if the project is unchanged at its end."""
        self.partitioner.start_run()
        return self.claim("other", due), self.claim("other", due)

    def test_owned_project_needs_no_lease(self) -> None:
        self.partitioner.start_run()
        self.assertEqual((Claim.HELD, Claim.TAKEN), (self.claim("mine"), self.claim("other")))
        self.assertEqual([], self.leases.claimed)

    def test_renew_raises_when_project_is_reassigned(self) -> None:
        self.partitioner.start_run()
        self.partitioner.renew("mine")
        self.member.owned.clear()
        with self.assertRaises(exceptions.ProjectReassigned):
            self.partitioner.renew("mine")

    def test_unavailable_ring_falls_back_to_leases(self) -> None:
        self.member.unavailable = True
        self.partitioner.start_run()
        self.member.unavailable = False
        self.assertIs(Claim.HELD, self.claim("other"))
        self.assertEqual(["other"], self.leases.claimed)
        self.partitioner.start_run()
        self.assertIs(Claim.TAKEN, self.claim("other"))

    def test_ring_failure_keeps_projects_during_run(self) -> None:
        self.partitioner.start_run()
        self.member.unavailable = True
        self.partitioner.renew("mine")
        self.assertIs(Claim.HELD, self.claim("other"))

    def test_orphaned_project_is_taken_over(self) -> None:
        self.assertEqual([(Claim.TAKEN, Claim.TAKEN)] * 2, [self.run_claims(), self.run_claims()])
        with self.assertLogs("distil.coordination.hash_ring", "WARNING"):
            self.assertEqual((Claim.TAKEN, Claim.HELD), self.run_claims())
        with self.assertNoLogs("distil.coordination.hash_ring", "WARNING"):
            self.assertEqual((Claim.TAKEN, Claim.HELD), self.run_claims(START + HOUR))
        self.assertEqual((Claim.TAKEN, Claim.HELD), self.run_claims(START + 2 * HOUR))
        self.assertEqual(["other"] * 3, self.leases.claimed)

    def test_progress_between_runs_prevents_takeover(self) -> None:
        for hour in range(5):
            self.assertEqual((Claim.TAKEN, Claim.TAKEN), self.run_claims(START + hour * HOUR))

    def test_progress_within_run_prevents_takeover(self) -> None:
        for _ in range(5):
            self.partitioner.start_run()
            self.assertEqual(
                (Claim.TAKEN, Claim.TAKEN), (self.claim("other", START), self.claim("other", START + HOUR))
            )

    def test_active_owner_regains_project(self) -> None:
        for _ in range(3):
            self.run_claims()
        self.partitioner.start_run()
        self.assertIs(Claim.TAKEN, self.claim("other", START + HOUR))
        self.assertEqual((Claim.TAKEN, Claim.TAKEN), self.run_claims(START + 2 * HOUR))
