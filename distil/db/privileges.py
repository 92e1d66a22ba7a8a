# SPDX-License-Identifier: Apache-2.0
"""What the user of the database must be allowed, found out by trying it."""

import datetime
from collections.abc import Iterator

import sqlalchemy as sa
from oslo_db import exception as db_exception

from distil.db import errors
from distil.db import models

_SELECT, _INSERT, _UPDATE, _DELETE = "SELECT", "INSERT", "UPDATE", "DELETE"

# Beside SELECT: of collectors, and of distil-manage, which deletes the rejected samples that it has billed.
_NEEDED = {
    models.tenants: (_INSERT, _UPDATE),
    models.resources: (_INSERT, _UPDATE),
    models.usage_entry: (_INSERT,),
    models.project_locks: (_INSERT, _UPDATE, _DELETE),
    models.project_failures: (_INSERT, _UPDATE, _DELETE),
    models.rejected_samples: (_INSERT, _DELETE),
}


def missing(engine: sa.Engine) -> Iterator[str]:
    """Each right that the user lacks, as ``DELETE on project_locks: what the server says``. Nothing is stored.

    :raises StoreError: the database did not answer.
    """
    for table, rights in _NEEDED.items():
        for right in (_SELECT, *rights):
            reason = _refused(engine, _harmless(right, table))
            if reason is not None:
                yield f"{right} on {table}: {reason}"


def _refused(engine: sa.Engine, statement: sa.Executable) -> str | None:
    with errors.translate_errors("looking for rights"), engine.connect() as connection:
        try:
            # It is rolled back: nobody commits.
            connection.execute(statement)
        except db_exception.DBConnectionError:
            raise
        except errors.DB_EXCEPTIONS as error:
            return errors.reason(error)
    return None


def _harmless(right: str, table: sa.Table) -> sa.Executable:
    """A statement that needs the right, and concerns no row that there is."""
    if table is models.rejected_samples and right == _INSERT:
        # One that PostgreSQL gives a number to, for which the sequence takes a right of its own.
        now = datetime.datetime.now(datetime.UTC)
        row = {"tenant_id": "", "meter": "", "start": now, "end": now, "reason": "", "sample": "", "created": now}
        return sa.insert(table).values(row)
    columns = list(table.c)
    nothing = sa.select(*columns).where(sa.false())
    statements: dict[str, sa.Executable] = {
        _SELECT: nothing,
        _INSERT: sa.insert(table).from_select(columns, nothing),
        _UPDATE: sa.update(table).where(sa.false()).values({columns[0]: columns[0]}),
        _DELETE: sa.delete(table).where(sa.false()),
    }
    return statements[right]
