# SPDX-License-Identifier: Apache-2.0
"""Table of rejected samples, each with its reason."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from distil.db.migrations import steps

revision = "006"
down_revision = "005"
branch_labels = None
depends_on = None

INDEX = "ix_rejected_samples_tenant_id_start"


def upgrade() -> None:
    op.create_table(
        "rejected_samples",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("tenant_id", steps.identifier(100), nullable=False),
        sa.Column("meter", sa.String(255), nullable=False),
        sa.Column("resource_id", steps.identifier(400)),
        sa.Column("start", sa.DateTime, nullable=False),
        sa.Column("end", sa.DateTime, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("sample", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), nullable=False),
        sa.Column("created", sa.DateTime, nullable=False),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_general_ci",
        if_not_exists=True,
    )
    if INDEX not in steps.indexes("rejected_samples"):
        op.create_index(INDEX, "rejected_samples", ["tenant_id", "start"])


def downgrade() -> None:
    op.drop_table("rejected_samples", if_exists=True)
