# SPDX-License-Identifier: Apache-2.0
"""Finds missing privileges of the database user by trying each of them."""

import datetime
from collections.abc import Iterable
from collections.abc import Iterator

import sqlalchemy as sa
from oslo_db import exception as db_exception

from distil import exceptions
from distil.db import errors
from distil.db import models

_SELECT, _INSERT, _UPDATE, _DELETE = "SELECT", "INSERT", "UPDATE", "DELETE"

# In addition to SELECT. distil-manage deletes rejected samples that it has billed; collectors need all the rest.
_REQUIRED = {
    models.tenants: (_INSERT, _UPDATE),
    models.resources: (_INSERT, _UPDATE),
    models.usage_entry: (_INSERT,),
    models.project_locks: (_INSERT, _UPDATE, _DELETE),
    models.project_failures: (_INSERT, _UPDATE, _DELETE),
    models.rejected_samples: (_INSERT, _DELETE),
    models.documents: (_INSERT,),
    models.receipts: (_INSERT,),
    models.project_states: (_INSERT,),
    models.rosters: (_INSERT,),
    models.rechecks: (_INSERT,),
    models.late_windows: (_INSERT,),
    models.periods: (),
}


def missing_privileges(engine: sa.Engine) -> Iterator[str]:
    """Privileges that the user lacks, as ``DELETE on project_locks: message of the server``. Nothing is changed.

    :raises StoreError: the connection was lost.
    """
    for table, privileges in _REQUIRED.items():
        for privilege in (_SELECT, *privileges):
            error = _try(engine, _harmless_statement(privilege, table))
            if error is not None:
                yield f"{privilege} on {table}: {error}"


def may_delete(engine: sa.Engine, table: sa.Table) -> bool:
    """Whether the user may delete rows.

    :raises StoreError: the connection was lost.
    """
    return _try(engine, _harmless_statement(_DELETE, table)) is None


def require_delete(engine: sa.Engine, tables: Iterable[sa.Table]) -> None:
    """Checks that the user may delete rows, before a command of which a part could fail.

    :raises StoreError: the user may not, or the connection was lost.
    """
    missing = [table.name for table in tables if not may_delete(engine, table)]
    if missing:
        raise exceptions.StoreError(
            f"the database user lacks the privilege DELETE on {', '.join(missing)}, which this command needs and"
            " collectors do not; use a configuration file with another user in [database] connection"
        )


def _try(engine: sa.Engine, statement: sa.Executable) -> str | None:
    """Executes a statement, rolls it back, and returns the server's message if it was refused."""
    with errors.translate_errors("check privileges"), engine.connect() as connection:
        try:
            connection.execute(statement)
        except db_exception.DBConnectionError:
            raise
        except errors.DB_EXCEPTIONS as error:
            return errors.driver_message(error)
    return None


def _harmless_statement(privilege: str, table: sa.Table) -> sa.Executable:
    """A statement that needs the privilege and affects no existing row."""
    if table is models.rejected_samples and privilege == _INSERT:
        # A whole row, because PostgreSQL requires a privilege on the sequence that numbers it, too.
        now = datetime.datetime.now(datetime.UTC)
        row = {"tenant_id": "", "meter": "", "start": now, "end": now, "reason": "", "sample": "", "created": now}
        return sa.insert(table).values(row)
    columns = list(table.c)
    no_rows = sa.select(*columns).where(sa.false())
    statements: dict[str, sa.Executable] = {
        _SELECT: no_rows,
        _INSERT: sa.insert(table).from_select(columns, no_rows),
        _UPDATE: sa.update(table).where(sa.false()).values({columns[0]: columns[0]}),
        _DELETE: sa.delete(table).where(sa.false()),
    }
    return statements[privilege]
