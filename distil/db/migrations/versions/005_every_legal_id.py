# SPDX-License-Identifier: Apache-2.0
"""Columns that hold every valid id and name, and compare ids exactly.

Columns are widened. MariaDB and MySQL get utf8mb4 and, for ids and services, a collation that distinguishes case and
trailing blanks. Where a row referred to one whose id differs in these, a row with the exact id is inserted.
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
    """A column with its length before and after; 0 is text without a limit."""

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
            # Data that does not fit fails half-way, and MariaDB and MySQL do not roll back what was done.
            upgrade()
            raise
    else:
        _alter(narrow=True)


def _convert(charset: str, collation: str, exact_collation: str, *, narrow: bool) -> None:
    """Converts each table with one statement, which rewrites it once.

    Both columns of a foreign key must have the same type, so the keys are dropped and added again.
    """
    for table, columns, *_ in KEYS:
        steps.drop_foreign_key(table, *columns)
    for table, columns_of_table in TABLES.items():
        # Older row formats limit a key to 767 bytes, which are 191 characters.
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
