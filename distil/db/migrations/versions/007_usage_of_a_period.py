# SPDX-License-Identifier: Apache-2.0
"""Index for the usage of a project in a period."""

from alembic import op

from distil.db.migrations import steps

revision = "007"
down_revision = "006"
branch_labels = None
depends_on = None

INDEX = "ix_usage_entry_tenant_id_start"


def upgrade() -> None:
    if INDEX not in steps.indexes("usage_entry"):
        op.create_index(INDEX, "usage_entry", ["tenant_id", "start"])


def downgrade() -> None:
    # InnoDB requires an index for the foreign key, and has dropped its own in favour of this one.
    if op.get_bind().dialect.name == "mysql" and "tenant_id" not in steps.indexes("usage_entry"):
        op.create_index("tenant_id", "usage_entry", ["tenant_id"])
    if INDEX in steps.indexes("usage_entry"):
        op.drop_index(INDEX, "usage_entry")
