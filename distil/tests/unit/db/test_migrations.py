# SPDX-License-Identifier: Apache-2.0
"""The history of revisions."""

import unittest

from distil.db import migration
from distil.db import revision


class MigrationHistoryTest(unittest.TestCase):
    def test_revisions_are_consecutive_from_001(self) -> None:
        revisions = [revision for revision, _ in migration.history()]
        self.assertEqual([f"{number:03}" for number in range(1, len(revisions) + 1)], revisions)
        self.assertGreater(len(revisions), 2)

    def test_newest_revision_matches_alembic_history(self) -> None:
        self.assertEqual(migration.history()[-1][0], revision.head())
