# SPDX-License-Identifier: Apache-2.0
"""The line of revisions."""

import unittest

from distil.db import migration
from distil.db import revision


class TestHistory(unittest.TestCase):
    def test_it_is_one_line_that_begins_with_the_revisions_of_existing_installs(self) -> None:
        revisions = [revision for revision, _ in migration.history()]
        self.assertEqual([f"{number:03}" for number in range(1, len(revisions) + 1)], revisions)
        self.assertGreater(len(revisions), 2)

    def test_the_newest_one_is_known_without_alembic(self) -> None:
        self.assertEqual(migration.history()[-1][0], revision.newest())
