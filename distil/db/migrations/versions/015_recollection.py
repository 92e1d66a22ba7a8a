# SPDX-License-Identifier: Apache-2.0
"""What recollection replaces, and what is known to have come late."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from distil.db import types
from distil.db.migrations import steps

revision = "015"
down_revision = "014"
branch_labels = None
depends_on = None

_TABLES = ("receipt_history", "usage_history", "rechecks", "late_windows")
_INDEXES = {"usage_history": ["tenant_id", "start"], "rechecks": ["start"], "late_windows": ["start"]}


def upgrade() -> None:
    steps.create_table(
        "receipt_history",
        sa.Column("tenant_id", steps.identifier(100), primary_key=True),
        sa.Column("start", sa.DateTime, primary_key=True),
        sa.Column("end", sa.DateTime, nullable=False),
        sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
        *_receipt_columns(),
        *_change_columns(),
    )
    steps.create_table(
        "usage_history",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("service", steps.identifier(260), nullable=False),
        sa.Column("unit", sa.String(100), nullable=False),
        sa.Column("volume", types.Volume),
        sa.Column("tenant_id", steps.identifier(100), nullable=False),
        sa.Column("resource_id", steps.identifier(400), nullable=False),
        sa.Column("start", sa.DateTime, nullable=False),
        sa.Column("end", sa.DateTime, nullable=False),
        sa.Column("created", sa.DateTime),
        sa.Column("revision", sa.Integer, nullable=False),
        *_change_columns(),
    )
    steps.create_table(
        "rechecks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("start", sa.DateTime, nullable=False),
        sa.Column("end", sa.DateTime, nullable=False),
        sa.Column("collector", sa.String(255), nullable=False),
        sa.Column("telemetry", steps.identifier(255), nullable=False),
        sa.Column("method", sa.String(16), nullable=False),
        sa.Column("windows", sa.Integer, nullable=False),
        sa.Column("late", sa.Integer, nullable=False),
        sa.Column("checked", sa.DateTime, nullable=False),
    )
    steps.create_table(
        "late_windows",
        sa.Column("tenant_id", steps.identifier(100), primary_key=True),
        sa.Column("start", sa.DateTime, primary_key=True),
        sa.Column("end", sa.DateTime, nullable=False),
        sa.Column("samples", sa.Integer, nullable=False),
        sa.Column("checked", sa.DateTime, nullable=False),
    )
    for table, columns in _INDEXES.items():
        name = f"ix_{table}_{'_'.join(columns)}"
        if name not in steps.indexes(table):
            op.create_index(name, table, columns)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table, if_exists=True)


def _receipt_columns() -> Iterator[sa.Column[Any]]:
    for name in ("samples", "used", "untrusted", "duplicates", "rejected", "entries"):
        yield sa.Column(name, sa.Integer, nullable=False)
    yield sa.Column("meters", steps.long_text(), nullable=False)
    yield sa.Column("samples_digest", sa.String(80), nullable=False)
    yield sa.Column("usage_digest", sa.String(80), nullable=False)
    yield sa.Column("rules", sa.BigInteger, nullable=False)
    yield sa.Column("names", sa.BigInteger, nullable=False)
    yield sa.Column("telemetry", steps.identifier(255))
    yield sa.Column("collector", sa.String(255))
    yield sa.Column("suspect", sa.Text)
    yield sa.Column("closed_period", steps.identifier(64))
    yield sa.Column("committed", sa.DateTime, nullable=False)


def _change_columns() -> Iterator[sa.Column[Any]]:
    yield sa.Column("reason", sa.Text, nullable=False)
    yield sa.Column("changed_by", sa.String(255), nullable=False)
    yield sa.Column("changed", sa.DateTime, nullable=False)
