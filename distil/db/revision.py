# SPDX-License-Identifier: Apache-2.0
"""Where a database stands, told without Alembic: every start asks, and importing Alembic would be a tenth of it."""

from pathlib import Path

import sqlalchemy as sa

from distil import exceptions
from distil.db import errors

_VERSIONS = Path(__file__).parent / "migrations" / "versions"
# Alembic's own table.
_TABLE = sa.table("alembic_version", sa.column("version_num", sa.String))


def head() -> str:
    """The revision that the code needs: their files are numbered."""
    return max(_known())


def current(engine: sa.Engine) -> str | None:
    """The database's revision; None where it has none.

    :raises StoreError: the database failed.
    """
    with errors.translate_errors("current revision"), engine.connect() as connection:
        if not sa.inspect(connection).has_table(_TABLE.name):
            return None
        return connection.scalars(sa.select(_TABLE.c.version_num)).one_or_none()


def require_known(engine: sa.Engine) -> str | None:
    """The database's revision, if it has one.

    :raises StoreError: it is one that this release has no way from.
    """
    found = current(engine)
    if found is not None and found not in _known():
        raise exceptions.StoreError(
            f"the database is at revision {found}, of a newer release than this one, which knows none after {head()}:"
            " install that release"
        )
    return found


def require_head(engine: sa.Engine) -> None:
    """:raises StoreError: the database is at another revision than the code, which would store what it then rounds."""
    found, needed = require_known(engine), head()
    if found is None:
        raise exceptions.StoreError(
            "the database is at no revision, as one without tables is: run distil-db-manage upgrade head"
        )
    if found != needed:
        advice = "stop all collectors and run distil-db-manage upgrade head"
        raise exceptions.StoreError(f"the database is at revision {found}, not {needed}: {advice}")


def _known() -> set[str]:
    return {path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py")}
