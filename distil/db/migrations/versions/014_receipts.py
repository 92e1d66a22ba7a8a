# SPDX-License-Identifier: Apache-2.0
"""Receipts of windows, the documents they refer to, and what runs have learnt of projects."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from distil.db.migrations import steps

revision = "014"
down_revision = "013"
branch_labels = None
depends_on = None

_TABLES = ("documents", "receipts", "project_states", "rosters")
_INDEXES = {"ix_receipts_start": ["start"], "ix_receipts_rules_collector_start": ["rules", "collector", "start"]}


def upgrade() -> None:
    steps.create_table(
        "documents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("digest", steps.identifier(80), nullable=False, unique=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("body", steps.long_text(), nullable=False),
        sa.Column("created", sa.DateTime, nullable=False),
    )
    steps.create_table(
        "receipts",
        sa.Column("tenant_id", steps.identifier(100), primary_key=True),
        sa.Column("start", sa.DateTime, primary_key=True),
        sa.Column("end", sa.DateTime, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        *_receipt_columns(),
    )
    known = steps.indexes("receipts")
    for index, columns in _INDEXES.items():
        if index not in known:
            op.create_index(index, "receipts", columns)
    steps.create_table(
        "project_states",
        sa.Column("tenant_id", steps.identifier(100), primary_key=True),
        sa.Column("since", sa.DateTime, primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255)),
        sa.Column("domain_id", steps.identifier(100)),
        sa.Column("collector", sa.String(255), nullable=False),
    )
    steps.create_table(
        "rosters",
        sa.Column("collector", steps.identifier(255), primary_key=True),
        sa.Column("taken", sa.DateTime, primary_key=True),
        sa.Column("projects", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(80), nullable=False),
    )


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
