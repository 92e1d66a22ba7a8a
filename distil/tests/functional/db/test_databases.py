# SPDX-License-Identifier: Apache-2.0
"""What the database tests do where a server is absent."""

import os
import unittest
import unittest.mock

import sqlalchemy as sa
from oslo_db.sqlalchemy import provision

from distil.tests.support import databases


class AbsentServerTest(unittest.TestCase):
    def setUp(self) -> None:
        known = provision.Backend.backends_by_database_type
        closed = provision.Backend(databases.MYSQL, sa.make_url("mysql+pymysql://u:p@127.0.0.1:1/"))
        self.enterContext(unittest.mock.patch.dict(known, {databases.MYSQL: closed}))
        self.enterContext(unittest.mock.patch.dict(os.environ))

    def test_skips_outside_ci(self) -> None:
        os.environ.pop("CI", None)
        with self.assertRaises(unittest.SkipTest), databases.database(databases.MYSQL):
            self.fail("there is no such server")

    def test_fails_in_ci(self) -> None:
        os.environ["CI"] = "true"
        with self.assertRaisesRegex(AssertionError, "CI is set"), databases.database(databases.MYSQL):
            self.fail("there is no such server")
