# SPDX-License-Identifier: Apache-2.0
"""A fresh database of each backend, by a URL that other processes can use too.

MariaDB and PostgreSQL are found as oslo.db's opportunistic fixtures find them: user ``openstack_citest`` on localhost,
or what ``OS_TEST_DBAPI_ADMIN_CONNECTION`` names.
"""

import contextlib
import pathlib
import random
import string
import tempfile
import unittest
from collections.abc import Iterator

import sqlalchemy as sa
from oslo_db import exception as db_exception
from oslo_db.sqlalchemy import provision

from distil.db import engine as db_engine
from distil.db import migration
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
def database(backend: str, *, migrated: bool = True) -> Iterator[str]:
    """The URL, password included, of a database that is dropped at the end.

    :param migrated: whether it is at the newest revision, or empty.
    :raises unittest.SkipTest: no such server answers; in CI (the environment variable) that is an AssertionError.
    """
    with _empty_database(backend) as url:
        if migrated:
            engine = db_engine.create_engine(url)
            migration.upgrade(engine)
            engine.dispose()
        yield url


@contextlib.contextmanager
def _empty_database(backend: str) -> Iterator[str]:
    if backend == SQLITE:
        with tempfile.TemporaryDirectory() as directory:
            yield f"sqlite:///{pathlib.Path(directory, 'distil.sqlite')}"
        return
    server = _server(backend)
    name = "".join(random.choices(string.ascii_lowercase, k=12))
    server.create_named_database(name)
    try:
        yield server.provisioned_database_url(name).render_as_string(hide_password=False)
    finally:
        server.drop_named_database(name)
        server.engine.dispose()


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
