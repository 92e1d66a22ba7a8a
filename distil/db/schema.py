# SPDX-License-Identifier: Apache-2.0
"""Whether usage can be stored in a database: its revision, and encodings that have every character."""

import sqlalchemy as sa

from distil import exceptions
from distil.db import errors
from distil.db import models
from distil.db import revision

_COLUMNS = sa.table(
    "columns",
    sa.column("table_schema"),
    sa.column("table_name"),
    sa.column("column_name"),
    sa.column("character_set_name"),
    schema="information_schema",
)


def require_usable(engine: sa.Engine) -> None:
    """Checks the revision and every encoding.

    :raises SchemaError: usage cannot be stored.
    :raises StoreError: the database failed.
    """
    revision.require_head(engine)
    require_utf8(engine)
    if engine.dialect.name == "mysql":
        _require_utf8_columns(engine)


def require_utf8(engine: sa.Engine) -> None:
    """Checks the encodings of the database and of the connection, at any revision.

    :raises SchemaError: one of them is not UTF-8.
    :raises StoreError: the database failed.
    """
    with errors.translate_errors("read the database's encoding"), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            setting = sa.func.current_setting
            server, client = connection.execute(sa.select(setting("server_encoding"), setting("client_encoding"))).one()
            _require_postgresql_server(server)
            _require_client(client, "UTF8", "client_encoding")
        elif engine.dialect.name == "mysql":
            _require_client(connection.scalar(sa.text("SELECT @@character_set_client")), "utf8mb4", "charset")


def _require_utf8_columns(engine: sa.Engine) -> None:
    """Checks the columns in MariaDB or MySQL. Only the newest revision has made all of them utf8mb4."""
    columns = _COLUMNS.c
    query = sa.select(columns.table_name, columns.column_name, columns.character_set_name).where(
        columns.table_schema == sa.func.database(),
        columns.table_name.in_(models.metadata.tables),
        columns.character_set_name != "utf8mb4",
    )
    with errors.translate_errors("read the columns' encodings"), engine.connect() as connection:
        found = sorted(f"{table}.{column} ({charset})" for table, column, charset in connection.execute(query))
    if found:
        raise exceptions.SchemaError(f"columns that are not utf8mb4 cannot store every name: {', '.join(found)}")


def _require_postgresql_server(encoding: str) -> None:
    if encoding != "UTF8":
        raise exceptions.SchemaError(
            f"the database's encoding is {encoding}, which lacks characters of names: dump it with pg_dump"
            " --encoding=UTF8, and restore it in one that CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0 makes"
        )


def _require_client(encoding: str | None, required: str, parameter: str) -> None:
    if encoding != required:
        raise exceptions.SchemaError(
            f"[database] connection: the connection's encoding is {encoding}, which lacks characters of names:"
            f" remove {parameter}; its default is {required}"
        )
