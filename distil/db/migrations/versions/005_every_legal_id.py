# SPDX-License-Identifier: Apache-2.0
"""Every legal id and name is stored, and only equal ids are equal.

Columns are widened. MariaDB and MySQL get four bytes a character, and a collation for ids and services that tells
case and trailing blanks apart. A row that referred to another with such a difference gets one of its own to refer to.
"""

from typing import NamedTuple

import sqlalchemy as sa
from alembic import op

from distil.db import types
from distil.db.migrations import steps

revision = "005"
down_revision = "004"
branch_labels = None
depends_on = None


class Column(NamedTuple):
    """Length before and after, 0 being text without a limit."""

    name: str
    before: int
    after: int
    exact: bool = False
    nullable: bool = False


TABLES = {
    "tenants": [Column("id", 100, 100, exact=True), Column("name", 100, 255), Column("info", 0, 0, nullable=True)],
    "resources": [
        Column("id", 100, 400, exact=True),
        Column("tenant_id", 100, 100, exact=True),
        Column("info", 0, 0, nullable=True),
    ],
    "usage_entry": [
        Column("service", 100, 260, exact=True),
        Column("unit", 100, 100),
        Column("tenant_id", 100, 100, exact=True),
        Column("resource_id", 100, 400, exact=True),
    ],
    "sales_orders": [Column("tenant_id", 64, 100, exact=True)],
    "project_locks": [Column("project_id", 100, 100, exact=True), Column("owner", 100, 255)],
}
KEYS = [
    ("resources", ["tenant_id"], "tenants", ["id"]),
    ("usage_entry", ["tenant_id"], "tenants", ["id"]),
    ("usage_entry", ["resource_id", "tenant_id"], "resources", ["id", "tenant_id"]),
    ("sales_orders", ["tenant_id"], "tenants", ["id"]),
]


def upgrade() -> None:
    if op.get_bind().dialect.name == "mysql":
        _convert("utf8mb4", "utf8mb4_general_ci", types.exact_collation(op.get_bind().dialect), narrow=False)
    else:
        _alter(narrow=False)


def downgrade() -> None:
    if op.get_bind().dialect.name == "mysql":
        try:
            _convert("utf8mb3", "utf8mb3_general_ci", "utf8mb3_general_ci", narrow=True)
        except Exception:
            # Data that does not fit stops it half-way, and what was done stays done.
            upgrade()
            raise
    else:
        _alter(narrow=True)


def _convert(charset: str, collation: str, exact_collation: str, *, narrow: bool) -> None:
    """One statement a table, which rewrites it once. A key's two columns must be alike, so the keys go meanwhile."""
    for table, columns, *_ in KEYS:
        steps.drop_foreign_key(table, *columns)
    for table, columns_of_table in TABLES.items():
        # The older row formats have room for 767 bytes in a key, which is 191 characters.
        clauses = ["ROW_FORMAT=DYNAMIC", f"DEFAULT CHARACTER SET {charset} COLLATE {collation}"]
        for column in columns_of_table:
            chosen = exact_collation if column.exact else collation
            null = "NULL" if column.nullable else "NOT NULL"
            kind = _mysql_type(column, narrow=narrow)
            clauses.append(f"MODIFY `{column.name}` {kind} CHARACTER SET {charset} COLLATE {chosen} {null}")
        op.execute(f"ALTER TABLE `{table}` {', '.join(clauses)}")
    for table in ("distil_last_run", "alembic_version"):
        op.execute(f"ALTER TABLE `{table}` CONVERT TO CHARACTER SET {charset} COLLATE {collation}")
    steps.insert_missing_tenants()
    steps.insert_missing_resources()
    for key in KEYS:
        steps.add_foreign_key(*key)


def _mysql_type(column: Column, *, narrow: bool) -> str:
    length = column.before if narrow else column.after
    if length:
        return f"VARCHAR({length})"
    return "TEXT" if narrow else "MEDIUMTEXT"


def _alter(*, narrow: bool) -> None:
    for table, columns in TABLES.items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                if column.before != column.after:
                    old, new = (column.after, column.before) if narrow else (column.before, column.after)
                    batch.alter_column(column.name, existing_type=sa.String(old), type_=sa.String(new))
