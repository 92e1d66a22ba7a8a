# SPDX-License-Identifier: Apache-2.0
"""Steps of several revisions.

MariaDB and MySQL cannot roll DDL back, so each step first checks whether it is done: an interrupted revision can be run
again.
"""

import datetime
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from distil.db import types

_CONVENTION = {"fk": "fk_%(table_name)s_%(column_0_N_name)s"}
_TENANTS = sa.table(
    "tenants", sa.column("id"), sa.column("name"), sa.column("created", sa.DateTime), sa.column("last_collected")
)
_RESOURCES = sa.table(
    "resources", sa.column("id"), sa.column("tenant_id"), sa.column("info"), sa.column("created", sa.DateTime)
)
_USAGE_ENTRY = sa.table("usage_entry", sa.column("resource_id"), sa.column("tenant_id"))
_SALES_ORDERS = sa.table("sales_orders", sa.column("tenant_id"))


def can_refer_to_part_of_a_key() -> bool:
    """Whether a foreign key may refer to columns that are not unique, as in InnoDB before MySQL 8.4."""
    dialect = op.get_bind().dialect
    if dialect.name != "mysql":
        return False
    version = dialect.server_version_info or ()
    return bool(getattr(dialect, "is_mariadb", False)) or version < (8, 4)


def indexes(table: str) -> set[str | None]:
    return {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}


def columns(table: str) -> set[str]:
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}


def identifier(length: int) -> sa.String:
    """The type of a new column of ids, the same as :class:`distil.db.types.Identifier`."""
    dialect = op.get_bind().dialect
    return sa.String(length, collation=types.exact_collation(dialect) if dialect.name == "mysql" else None)


def long_text() -> sa.types.TypeEngine[str]:
    """The type of a new column of long text, the same as :func:`distil.db.types.long_text`."""
    return sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql")


def create_table(name: str, *columns: sa.Column[Any]) -> None:
    """Creates a table that only we use, unless it is there."""
    options = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_general_ci"}
    op.create_table(name, *columns, if_not_exists=True, **options)


def drop_foreign_key(table: str, *columns: str) -> None:
    """Drops the foreign key on these columns. An unnamed one, as in SQLite, has its name by the convention."""
    for key in sa.inspect(op.get_bind()).get_foreign_keys(table):
        if key["constrained_columns"] == list(columns):
            name = key["name"] or _name(table, columns)
            with op.batch_alter_table(table, naming_convention=_CONVENTION) as batch:
                batch.drop_constraint(name, type_="foreignkey")


def add_foreign_key(table: str, columns: Sequence[str], referred: str, referred_columns: Sequence[str]) -> None:
    keys = sa.inspect(op.get_bind()).get_foreign_keys(table)
    if any(key["constrained_columns"] == list(columns) for key in keys):
        return
    with op.batch_alter_table(table) as batch:
        batch.create_foreign_key(_name(table, columns), referred, list(columns), list(referred_columns))


def _name(table: str, columns: Sequence[str]) -> str:
    return f"fk_{table}_{'_'.join(columns)}"


def insert_missing_tenants() -> None:
    """Inserts a tenant for each row that refers to a missing one."""
    for child in (_RESOURCES, _USAGE_ENTRY, _SALES_ORDERS):
        missing = (
            sa.select(child.c.tenant_id, child.c.tenant_id, sa.literal(_now()))
            .distinct()
            .where(~sa.exists().where(_TENANTS.c.id == child.c.tenant_id))
        )
        op.execute(sa.insert(_TENANTS).from_select(["id", "name", "created"], missing))


def insert_missing_resources() -> None:
    """Inserts a resource for each usage entry whose resource is missing or belongs to another project."""
    found = sa.exists().where(
        _RESOURCES.c.id == _USAGE_ENTRY.c.resource_id, _RESOURCES.c.tenant_id == _USAGE_ENTRY.c.tenant_id
    )
    missing = (
        sa.select(_USAGE_ENTRY.c.resource_id, _USAGE_ENTRY.c.tenant_id, sa.literal("{}"), sa.literal(_now()))
        .distinct()
        .where(~found)
    )
    op.execute(sa.insert(_RESOURCES).from_select(["id", "tenant_id", "info", "created"], missing))


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0, tzinfo=None)
