# SPDX-License-Identifier: Apache-2.0
"""Index for the usage of all projects in a period, and for deleting old usage."""

from alembic import op

from distil.db.migrations import steps

revision = "010"
down_revision = "009"
branch_labels = None
depends_on = None

INDEX = "ix_usage_entry_start"


def upgrade() -> None:
    if INDEX not in steps.indexes("usage_entry"):
        op.create_index(INDEX, "usage_entry", ["start"])


def downgrade() -> None:
    if INDEX in steps.indexes("usage_entry"):
        op.drop_index(INDEX, "usage_entry")
