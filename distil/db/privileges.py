# SPDX-License-Identifier: Apache-2.0
"""Finds missing privileges of the database user by trying each of them."""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from oslo_db import exception as db_exception

from distil import exceptions
from distil.db import errors
from distil.db import models
from distil.db import types

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

_RETRY = {
    models.tenants: (_UPDATE,),
    models.resources: (_INSERT, _UPDATE),
    models.usage_entry: (_INSERT,),
    models.rejected_samples: (_DELETE,),
    models.receipts: (_UPDATE,),
    models.receipt_history: (_INSERT,),
}
_RECOLLECT = {
    **_RETRY,
    models.usage_entry: (_INSERT, _DELETE),
    models.usage_history: (_INSERT,),
    models.rejected_samples: (_INSERT, _DELETE),
    models.documents: (_INSERT,),
    models.receipts: (_INSERT, _UPDATE),
    models.late_windows: (_DELETE,),
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
    _require(engine, [(_DELETE, table) for table in tables])


def require_recollect(engine: sa.Engine) -> None:
    """Checks that the user may change collected windows.

    :raises StoreError: the user may not, or the connection was lost.
    """
    _require(engine, [(privilege, table) for table, privileges in _RECOLLECT.items() for privilege in privileges])


def require_retry(engine: sa.Engine) -> None:
    """Checks that the user may bill rejected samples.

    :raises StoreError: the user may not, or the connection was lost.
    """
    _require(engine, [(privilege, table) for table, privileges in _RETRY.items() for privilege in privileges])


def require_close(engine: sa.Engine) -> None:
    """Checks that the user may close periods.

    :raises StoreError: the user may not, or the connection was lost.
    """
    _require(engine, [(_INSERT, models.periods), (_UPDATE, models.periods), (_UPDATE, models.tenants)])


def _require(engine: sa.Engine, needed: Iterable[tuple[str, sa.Table]]) -> None:
    tables: dict[str, list[str]] = defaultdict(list)
    for privilege, table in needed:
        if _try(engine, _harmless_statement(privilege, table)) is not None:
            tables[privilege].append(table.name)
    if tables:
        missing = ", ".join(f"{privilege} on {', '.join(names)}" for privilege, names in tables.items())
        raise exceptions.StoreError(
            f"the database user lacks the privilege {missing}, which this command needs and collectors do not; use a"
            " configuration file with another user in [database] connection"
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
    if privilege == _INSERT and table.autoincrement_column is not None:
        # A whole row, because PostgreSQL requires a privilege on the sequence that numbers it, too.
        columns = [column for column in table.c if column is not table.autoincrement_column and not column.nullable]
        return sa.insert(table).values({column.name: _any_value(column) for column in columns})
    columns = list(table.c)
    no_rows = sa.select(*columns).where(sa.false())
    statements: dict[str, sa.Executable] = {
        _SELECT: no_rows,
        _INSERT: sa.insert(table).from_select(columns, no_rows),
        _UPDATE: sa.update(table).where(sa.false()).values({columns[0]: columns[0]}),
        _DELETE: sa.delete(table).where(sa.false()),
    }
    return statements[privilege]


def _any_value(column: sa.Column[Any]) -> object:
    if isinstance(column.type, types.UTCDateTime):
        return datetime.datetime.now(datetime.UTC)
    return 0 if isinstance(column.type, sa.Integer) else ""
