# SPDX-License-Identifier: Apache-2.0
"""The revision of a database, read without Alembic: importing it would take a tenth of each start."""

import re
from pathlib import Path

import sqlalchemy as sa

from distil import exceptions
from distil.db import errors

_VERSIONS = Path(__file__).parent / "migrations" / "versions"
_RELATIVE = re.compile(r"(\d{3}|head)?[+-]\d+")
# Alembic's table.
_VERSION_TABLE = sa.table("alembic_version", sa.column("version_num", sa.String))


# Read once: a collector whose package is upgraded under it still stores as the code does that it was started with.
_KNOWN = frozenset(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py"))


def head() -> str:
    """The newest revision, which the code requires. Revisions are numbered, as their files are."""
    return max(_KNOWN)


def current(engine: sa.Engine) -> str | None:
    """The database's revision, or None if it has none.

    :raises StoreError: the database failed.
    """
    with errors.translate_errors("read the current revision"), engine.connect() as connection:
        return _read(connection)


def require_known(connection: sa.Connection) -> str | None:
    """The database's revision, or None if it has none.

    :raises SchemaError: the revision is unknown to this release.
    """
    found = _read(connection)
    if found is not None and found not in _KNOWN:
        raise exceptions.SchemaError(
            f"the database is at revision {found} of a newer release, and this release supports none after {head()}:"
            " install that release"
        )
    return found


def require_exists(revision: str) -> None:
    """Checks that there is a revision of this name: its number, ``head`` or ``base``, or relative, such as ``-1``.

    :raises NotFound: there is none.
    """
    if revision not in _KNOWN | {"head", "heads", "base"} and not _RELATIVE.fullmatch(revision):
        raise exceptions.NotFound(
            f"revision {revision!r} does not exist, nothing was changed; use one of {min(_KNOWN)} to {head()}, base or"
            " head"
        )


def require_head(engine: sa.Engine) -> None:
    """Checks that the database is at the newest revision: older tables would round volumes.

    :raises SchemaError: the database is not at the newest revision.
    :raises StoreError: the database failed.
    """
    with errors.translate_errors("read the current revision"), engine.connect() as connection:
        found, required = require_known(connection), head()
    if found is None:
        raise exceptions.SchemaError(
            "the database is at no revision and probably empty: run distil-db-manage upgrade head"
        )
    if found != required:
        advice = "stop all collectors and run distil-db-manage upgrade head"
        raise exceptions.SchemaError(f"the database is at revision {found}, not {required}: {advice}")


def _read(connection: sa.Connection) -> str | None:
    """One query, unless there is no table."""
    try:
        return connection.scalars(sa.select(_VERSION_TABLE.c.version_num)).one_or_none()
    except errors.DB_EXCEPTIONS:
        connection.rollback()
        if sa.inspect(connection).has_table(_VERSION_TABLE.name):
            raise
        return None
