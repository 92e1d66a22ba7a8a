# SPDX-License-Identifier: Apache-2.0
"""Table of projects that the last run could not finish, each with its reason."""

import sqlalchemy as sa
from alembic import op

from distil.db.migrations import steps

revision = "009"
down_revision = "008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "project_failures",
        sa.Column("tenant_id", steps.identifier(100), primary_key=True),
        sa.Column("collector", sa.String(255), nullable=False),
        sa.Column("start", sa.DateTime),
        sa.Column("end", sa.DateTime),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime, nullable=False),
        sa.Column("seen", sa.DateTime, nullable=False),
        sa.Column("runs", sa.Integer, nullable=False),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_general_ci",
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table("project_failures", if_exists=True)
