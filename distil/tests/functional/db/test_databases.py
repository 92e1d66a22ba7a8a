# SPDX-License-Identifier: Apache-2.0
"""Database tests without a server."""

import os
import unittest
import unittest.mock

import sqlalchemy as sa
from oslo_db.sqlalchemy import provision

from distil.tests.support import databases


class AbsentServerTest(unittest.TestCase):
    def setUp(self) -> None:
        backends = provision.Backend.backends_by_database_type
        absent = provision.Backend(databases.MYSQL, sa.make_url("mysql+pymysql://u:p@127.0.0.1:1/"))
        self.enterContext(unittest.mock.patch.dict(backends, {databases.MYSQL: absent}))
        self.enterContext(unittest.mock.patch.dict(os.environ))

    def test_skips_outside_ci(self) -> None:
        os.environ.pop("CI", None)
        with self.assertRaises(unittest.SkipTest), databases.database(databases.MYSQL):
            self.fail("the server is absent")

    def test_fails_in_ci(self) -> None:
        os.environ["CI"] = "true"
        with self.assertRaisesRegex(AssertionError, "CI is set"), databases.database(databases.MYSQL):
            self.fail("the server is absent")
