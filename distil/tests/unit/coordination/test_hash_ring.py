# SPDX-License-Identifier: Apache-2.0
"""What a member does with projects that are not in its share, and without a ring to ask."""

import contextlib
import datetime
import unittest
from collections.abc import Iterator

from distil import exceptions
from distil.coordination.hash_ring import HashRingPartitioner
from distil.coordination.leases import LeasePartitioner

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


class Ring:
    """Owns project "mine", while it is there."""

    def __init__(self) -> None:
        self.away = False
        self.mine = {"mine"}

    def refresh(self) -> None:
        if self.away:
            raise exceptions.CoordinationError("nobody answers")

    def belongs_to_self(self, project_id: str) -> bool:
        self.refresh()
        return project_id in self.mine

    def leave_group(self) -> None:
        """Nothing."""


class Leases(LeasePartitioner):
    """All are free. Keeps which were taken."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def holds(self, project_id: str) -> bool:
        return False

    @contextlib.contextmanager
    def claim(self, project_id: str, _due: datetime.datetime) -> Iterator[bool]:
        self.taken.append(project_id)
        yield True


class HashRingPartitionerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.ring = Ring()
        self.leases = Leases()
        self.sharing = HashRingPartitioner(self.ring, self.leases)

    def held(self, project_id: str, due: datetime.datetime = START) -> bool:
        with self.sharing.claim(project_id, due) as held:
            return held

    def looks(self, due: datetime.datetime = START) -> tuple[bool, bool]:
        """The two that a run has at another's project which does not move meanwhile."""
        self.sharing.start_run()
        return self.held("other", due), self.held("other", due)

    def test_owned_project_needs_no_lease(self) -> None:
        self.sharing.start_run()
        self.assertEqual((True, False), (self.held("mine"), self.held("other")))
        self.assertEqual([], self.leases.taken)

    def test_renew_raises_when_project_is_reassigned(self) -> None:
        self.sharing.start_run()
        self.sharing.renew("mine")
        self.ring.mine.clear()
        with self.assertRaises(exceptions.ProjectReassigned):
            self.sharing.renew("mine")

    def test_unavailable_ring_falls_back_to_leases(self) -> None:
        self.ring.away = True
        self.sharing.start_run()
        self.ring.away = False
        self.assertTrue(self.held("other"))
        self.assertEqual(["other"], self.leases.taken)
        self.sharing.start_run()
        self.assertFalse(self.held("other"))

    def test_ring_failure_keeps_projects_during_run(self) -> None:
        self.sharing.start_run()
        self.ring.away = True
        self.sharing.renew("mine")
        self.assertTrue(self.held("other"))

    def test_stalled_project_is_adopted_and_kept(self) -> None:
        self.assertEqual([(False, False)] * 2, [self.looks(), self.looks()])
        with self.assertLogs("distil.coordination.hash_ring", "WARNING"):
            self.assertEqual((False, True), self.looks())
        with self.assertNoLogs("distil.coordination.hash_ring", "WARNING"):
            self.assertEqual((False, True), self.looks(START + HOUR))
        self.assertEqual((False, True), self.looks(START + 2 * HOUR))
        self.assertEqual(["other"] * 3, self.leases.taken)

    def test_progress_between_runs_prevents_adoption(self) -> None:
        for hour in range(5):
            self.assertEqual((False, False), self.looks(START + hour * HOUR))

    def test_progress_within_run_prevents_adoption(self) -> None:
        for _ in range(5):
            self.sharing.start_run()
            self.assertEqual((False, False), (self.held("other", START), self.held("other", START + HOUR)))

    def test_adopted_project_returns_to_active_owner(self) -> None:
        for _ in range(3):
            self.looks()
        self.sharing.start_run()
        self.assertFalse(self.held("other", START + HOUR))
        self.assertEqual((False, False), self.looks(START + 2 * HOUR))
