# SPDX-License-Identifier: Apache-2.0
"""Usage entries refer to resources of their own project.

A resource's id is unique only within its project, so a reference to the id alone could mean another project's resource.
"""

from alembic import op

from distil.db.migrations import steps

revision = "004"
down_revision = "003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps.insert_missing_resources()
    steps.drop_foreign_key("usage_entry", "resource_id")
    steps.add_foreign_key("usage_entry", ["resource_id", "tenant_id"], "resources", ["id", "tenant_id"])
    # The new key's index begins with the same column.
    if "resource_id" in steps.indexes("usage_entry"):
        op.drop_index("resource_id", "usage_entry")


def downgrade() -> None:
    steps.drop_foreign_key("usage_entry", "resource_id", "tenant_id")
    if steps.can_refer_to_part_of_a_key():
        steps.add_foreign_key("usage_entry", ["resource_id"], "resources", ["id"])
