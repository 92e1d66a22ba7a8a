# SPDX-License-Identifier: Apache-2.0
"""Databases whose encoding cannot store every name."""

import datetime
import pathlib
import tempfile
import unittest

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.db import engine as db_engine
from distil.db import migration
from distil.db import models
from distil.db import revision
from distil.db import schema
from distil.db.store import Store
from distil.tests.support import commands
from distil.tests.support import databases
from distil.tests.support.site import Site

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)


def provided_engine(test: unittest.TestCase, url: str) -> sa.Engine:
    engine = db_engine.create_engine(url)
    test.addCleanup(engine.dispose)
    return engine


class Latin1PostgreSQLTest(unittest.TestCase):
    def setUp(self) -> None:
        latin1 = "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        self.url = self.enterContext(databases.database(databases.POSTGRESQL, migrated=False, options=latin1))
        self.engine = provided_engine(self, self.url)

    def create_tables(self) -> None:
        models.metadata.create_all(self.engine)
        with self.engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
            connection.execute(sa.text(f"INSERT INTO alembic_version VALUES ('{revision.head()}')"))

    def assert_refused(self, config: pathlib.Path, name: str, *arguments: str) -> None:
        done = commands.run(name, "--config-file", str(config), *arguments)
        output = " ".join((done.stdout + done.stderr).replace("|", " ").split())
        self.assertNotEqual(0, done.returncode, output)
        self.assertIn("the database's encoding is LATIN1", output)
        self.assertNotIn("Traceback", output)

    def test_upgrade_refuses_encoding(self) -> None:
        config = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()), "distil.conf")
        config.write_text(f"[database]\nconnection = {self.url}\n")
        self.assert_refused(config, "distil-db-manage", "upgrade", "head")
        self.assertEqual([], sa.inspect(self.engine).get_table_names())

    def test_start_and_checks_refuse_encoding(self) -> None:
        self.create_tables()
        site = self.enterContext(Site(projects=1, resources=1))
        site.url = self.url
        site.configure()
        self.assert_refused(site.config, "distil-db-manage", "check")
        self.assert_refused(site.config, "distil-status", "upgrade", "check")
        self.assert_refused(site.config, "distil-manage", "config", "check", "--live")
        self.assert_refused(site.config, "distil-collector", "--collect-end-time", site.end.isoformat())

    def test_name_that_is_missing_stops_one(self) -> None:
        self.create_tables()
        store = Store(self.engine)
        good, bad = (model.Project(id=name, name=name, domain_id="d") for name in ("good", "bad"))
        emoji = model.Project(id="bad", name="🐘", domain_id="d")
        self.assertEqual({"bad"}, set(store.register_projects([(emoji, START), (good, START)])))
        self.assertEqual({"good": START}, store.last_collected(["good", "bad"]))
        self.assertEqual({}, store.register_projects([(bad, START)]))
        renamed = model.Project(id="good", name="better", domain_id="d")
        self.assertEqual({"bad"}, set(store.update_projects([emoji, renamed])))
        with self.engine.connect() as connection:
            names = connection.execute(sa.select(models.tenants.c.id, models.tenants.c.name)).all()
        self.assertEqual({("good", "better"), ("bad", "bad")}, {tuple(row) for row in names})


class EncodingTest(unittest.TestCase):
    def test_latin1_mariadb_gets_utf8mb4_columns(self) -> None:
        for charset in ("latin1", "utf8mb3"):
            options = f"CHARACTER SET {charset}"
            url = self.enterContext(databases.database(databases.MYSQL, migrated=False, options=options))
            engine = provided_engine(self, url)
            migration.upgrade(engine)
            schema.require_usable(engine)

    def test_converted_column_is_refused(self) -> None:
        engine = provided_engine(self, self.enterContext(databases.database(databases.MYSQL)))
        with engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE tenants MODIFY name VARCHAR(255) CHARACTER SET latin1 NOT NULL"))
        with self.assertRaisesRegex(exceptions.SchemaError, r"tenants\.name \(latin1\)"):
            schema.require_usable(engine)

    def test_connection_encoding_is_refused(self) -> None:
        for backend, parameter in ((databases.MYSQL, "charset"), (databases.POSTGRESQL, "client_encoding")):
            url = self.enterContext(databases.database(backend))
            schema.require_usable(provided_engine(self, url))
            with self.assertRaisesRegex(exceptions.SchemaError, f"remove {parameter}"):
                schema.require_usable(provided_engine(self, f"{url}?{parameter}=latin1"))


class UnstorableProjectTest(unittest.TestCase):
    def test_others_are_collected(self) -> None:
        site = self.enterContext(Site(projects=3, resources=1))
        refuse = "CREATE TRIGGER refuse BEFORE {} ON tenants WHEN NEW.name = 'project-1' BEGIN {} END"
        with site.engine.begin() as connection:
            connection.exec_driver_sql(refuse.format("INSERT", "SELECT RAISE(ABORT, 'it is refused');"))
        output = site.collect(status=1)
        self.assertIn("(project-1) is not collected: could not register project ", output)
        self.assertIn("it is refused", output)
        self.assertEqual({site.end}, set(site.last_collected().values()))
        self.assertEqual(3, len(site.last_collected()))
        with site.engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER refuse")
        site.collect()
        self.assertEqual(4, len(site.last_collected()))

    def test_old_name_is_kept(self) -> None:
        site = self.enterContext(Site(projects=3, resources=1))
        site.collect(site.start + datetime.timedelta(hours=1))
        with site.engine.begin() as connection:
            connection.execute(sa.update(models.tenants).values(name="old"))
            connection.exec_driver_sql(
                "CREATE TRIGGER refuse BEFORE UPDATE ON tenants WHEN NEW.name = 'project-1'"
                " BEGIN SELECT RAISE(ABORT, 'it is refused'); END"
            )
        output = site.collect()
        self.assertIn("keeps its old name in the database, and is collected: could not update project", output)
        self.assertEqual({site.end}, set(site.last_collected().values()))
        names = [row.name for row in site.rows(sa.select(models.tenants.c.name))]
        self.assertEqual((4, 1), (len(names), names.count("old")))
