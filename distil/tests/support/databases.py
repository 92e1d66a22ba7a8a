# SPDX-License-Identifier: Apache-2.0
"""A fresh database of each backend, by a URL that other processes can use too.

MariaDB and PostgreSQL are found as oslo.db's opportunistic fixtures find them: user ``openstack_citest`` on localhost,
or what ``OS_TEST_DBAPI_ADMIN_CONNECTION`` names.
"""

import atexit
import contextlib
import functools
import pathlib
import random
import shutil
import string
import tempfile
import unittest
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping

import sqlalchemy as sa
from oslo_db import exception as db_exception
from oslo_db.sqlalchemy import provision

from distil.db import engine as db_engine
from distil.db import migration
from distil.db import revision
from distil.tests.support import requirements

SQLITE = "sqlite"
MYSQL = "mysql"
POSTGRESQL = "postgresql"
BACKENDS = (SQLITE, MYSQL, POSTGRESQL)


class DatabaseTestCase(unittest.TestCase):
    """Provisions one database for the class; its tests use projects of their own."""

    BACKEND = SQLITE
    MIGRATED = True
    url: str
    engine: sa.Engine

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.url = cls.enterClassContext(database(cls.BACKEND, migrated=cls.MIGRATED))
        cls.engine = db_engine.create_engine(cls.url)
        cls.addClassCleanup(cls.engine.dispose)


@contextlib.contextmanager
def database(backend: str, *, migrated: bool = True, options: str = "") -> Iterator[str]:
    """Provide the URL, password included, of a database that is dropped at the end.

    :param migrated: whether it is at the newest revision, or empty.
    :param options: of CREATE DATABASE, for an empty one.
    :raises unittest.SkipTest: no such server answers; in CI (the environment variable) that is an AssertionError.
    """
    create = _COPY[backend] if migrated else functools.partial(_create_empty, options=options)
    if backend == SQLITE:
        with tempfile.TemporaryDirectory() as directory:
            url = sa.make_url(f"sqlite:///{pathlib.Path(directory, 'distil.sqlite')}")
            create(url)
            yield str(url)
        return
    server = _server(backend)
    name = "".join(random.choices(string.ascii_lowercase, k=12))
    url = server.provisioned_database_url(name)
    try:
        create(url)
        yield url.render_as_string(hide_password=False)
    finally:
        server.drop_named_database(name, conditional=True)
        server.engine.dispose()


def _create_empty(url: sa.URL, options: str = "") -> None:
    if url.get_backend_name() == SQLITE:
        pathlib.Path(url.database or "").touch()
    else:
        _execute(_server(url.get_backend_name()).url, f"CREATE DATABASE {url.database} {options}")


def _copy_sqlite(url: sa.URL) -> None:
    shutil.copyfile(str(_template(SQLITE).database), str(url.database))


def _copy_mysql(url: sa.URL) -> None:
    _create_empty(url)
    _execute(url, *_mysql_dump())


def _copy_postgresql(url: sa.URL) -> None:
    _execute(_server(POSTGRESQL).url, f"CREATE DATABASE {url.database} TEMPLATE {_template(POSTGRESQL).database}")


_COPY: Mapping[str, Callable[[sa.URL], None]] = {
    SQLITE: _copy_sqlite,
    MYSQL: _copy_mysql,
    POSTGRESQL: _copy_postgresql,
}


@functools.cache
def _template(backend: str) -> sa.URL:
    """The migrated database that this process copies; it is dropped at its end."""
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    url = stack.enter_context(database(backend, migrated=False))
    engine = db_engine.create_engine(url)
    migration.upgrade(engine)
    engine.dispose()
    return sa.make_url(url)


@functools.cache
def _mysql_dump() -> tuple[str, ...]:
    """The statements that make the template's tables, which hold nothing but the revision."""
    engine = db_engine.create_engine(_template(MYSQL).render_as_string(hide_password=False))
    with engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        created = [connection.exec_driver_sql(f"SHOW CREATE TABLE {table}").one()[1] for table in tables]
    engine.dispose()
    recorded = f"INSERT INTO alembic_version VALUES ('{revision.head()}')"
    return ("SET FOREIGN_KEY_CHECKS = 0", *created, recorded)


def _execute(url: sa.URL, *statements: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def _server(backend: str) -> provision.Backend:
    try:
        url = provision.Backend.backends_by_database_type[backend].url
        if url.drivername == "postgresql+psycopg2":
            url = url.set(drivername="postgresql+psycopg")
        return provision.Backend(backend, url)._verify()
    except (KeyError, db_exception.BackendNotAvailable) as error:
        requirements.unmet(
            f"no {backend} server accepts the tests' user (tools/test-setup.sh creates it): {error}", error
        )
