# SPDX-License-Identifier: Apache-2.0
"""The connection is lost during COMMIT: usage is neither lost nor stored twice."""

import datetime
import uuid
from decimal import Decimal

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.db import engine as db_engine
from distil.db import models
from distil.db import store
from distil.tests.support import commit_proxy
from distil.tests.support import databases

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
WINDOW = model.Window(START, START + datetime.timedelta(hours=1))
PORTS = {databases.MYSQL: 3306, databases.POSTGRESQL: 5432}


class TestLostCommitMySQL(databases.DatabaseTestCase):
    BACKEND = databases.MYSQL

    def setUp(self) -> None:
        self.project = model.Project(uuid.uuid4().hex, "n", "d")
        self.direct = store.Store(self.engine)
        self.direct.register_projects([(self.project, START)])

    def commit_through(self, *, deliver: bool) -> None:
        url = sa.make_url(self.url)
        server = (url.host or "localhost", url.port or PORTS[self.BACKEND])
        cutter = commit_proxy.CommitDroppingProxy(server, deliver=deliver)
        self.addCleanup(cutter.close)
        # Without encryption, so that the proxy can read COMMIT.
        unencrypted = {"sslmode": "disable", "gssencmode": "disable"} if self.BACKEND == databases.POSTGRESQL else {}
        proxied = url.set(host="127.0.0.1", port=cutter.port).update_query_dict(unencrypted)
        engine = db_engine.create_engine(proxied.render_as_string(hide_password=False))
        self.addCleanup(engine.dispose)
        cutter.armed.set()
        try:
            self.commit(store.Store(engine))
        finally:
            self.assertTrue(cutter.dropped.is_set())

    def commit(self, to: store.Store) -> None:
        usage = [model.Usage("s", "r", "u", Decimal(1))]
        to.project(self.project.id).commit(WINDOW, usage, [model.Resource("r", {})], [])

    def stored(self) -> int:
        query = sa.select(sa.func.count()).where(models.usage_entry.c.tenant_id == self.project.id)
        with self.engine.connect() as connection:
            return connection.scalar(query) or 0

    def test_lost_reply_keeps_commit(self) -> None:
        self.commit_through(deliver=True)
        self.assertEqual(1, self.stored())
        self.assertEqual({self.project.id: WINDOW.end}, self.direct.last_collected([self.project.id]))
        with self.assertRaises(exceptions.WindowAlreadyCommitted):
            self.commit(self.direct)

    def test_undelivered_commit_raises_and_is_retryable(self) -> None:
        with self.assertRaises(exceptions.StoreError) as caught:
            self.commit_through(deliver=False)
        self.assertNotIn("openstack_citest", str(caught.exception))
        self.assertEqual(0, self.stored())
        self.commit(self.direct)
        self.assertEqual(1, self.stored())


class TestLostCommitPostgreSQL(TestLostCommitMySQL):
    BACKEND = databases.POSTGRESQL
