# SPDX-License-Identifier: Apache-2.0
"""Where a database stands, told without Alembic: every start asks, and importing Alembic would be a tenth of it."""

from pathlib import Path

import sqlalchemy as sa

from distil import exceptions
from distil.db import errors

_VERSIONS = Path(__file__).parent / "migrations" / "versions"
# Alembic's own table.
_TABLE = sa.table("alembic_version", sa.column("version_num", sa.String))


def newest() -> str:
    """The revision that the code needs: their files are numbered."""
    return max(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py"))


def current(engine: sa.Engine) -> str | None:
    """The database's revision; None where it has none.

    :raises StoreError: the database failed.
    """
    with errors.translated("current revision"), engine.connect() as connection:
        if not sa.inspect(connection).has_table(_TABLE.name):
            return None
        return connection.scalars(sa.select(_TABLE.c.version_num)).one_or_none()


def require_newest(engine: sa.Engine) -> None:
    """:raises StoreError: the database is at another revision than the code, which would store what it then rounds."""
    revision, needed = current(engine), newest()
    if revision != needed:
        advice = "stop all collectors and run distil-db-manage upgrade head"
        raise exceptions.StoreError(f"the database is at revision {revision or 'none'}, not {needed}: {advice}")
