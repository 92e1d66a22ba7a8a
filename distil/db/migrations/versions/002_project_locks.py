# SPDX-License-Identifier: Apache-2.0
"""Table of project locks."""

import sqlalchemy as sa
from alembic import op

revision = "002"
down_revision = "001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "project_locks",
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("project_id", sa.String(100), primary_key=True),
        sa.Column("owner", sa.String(100), nullable=False),
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table("project_locks", if_exists=True)
