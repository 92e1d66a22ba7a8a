# SPDX-License-Identifier: Apache-2.0
"""Closed periods."""

import sqlalchemy as sa
from alembic import op

from distil.db.migrations import steps

revision = "016"
down_revision = "015"
branch_labels = None
depends_on = None

_INDEX = "ix_periods_start"


def upgrade() -> None:
    steps.create_table(
        "periods",
        sa.Column("name", steps.identifier(64), primary_key=True),
        sa.Column("start", sa.DateTime, nullable=False),
        sa.Column("end", sa.DateTime, nullable=False),
        sa.Column("closing", sa.DateTime, nullable=False),
        sa.Column("closed", sa.DateTime),
        sa.Column("closed_by", sa.String(255), nullable=False),
        sa.Column("previous", steps.identifier(64), nullable=False, unique=True),
        sa.Column("pruned", sa.DateTime),
        sa.Column("digest", sa.String(80)),
        sa.Column("manifest", steps.long_text()),
    )
    if _INDEX not in steps.indexes("periods"):
        op.create_index(_INDEX, "periods", ["start"])


def downgrade() -> None:
    op.drop_table("periods", if_exists=True)
