# SPDX-License-Identifier: Apache-2.0
"""The domain of a project, so that usage can be chosen and grouped by it without Keystone.

A run fills it in. It stays empty for projects that were deleted before.
"""

import sqlalchemy as sa
from alembic import op

from distil.db.migrations import steps

revision = "011"
down_revision = "010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if "domain_id" not in steps.columns("tenants"):
        op.add_column("tenants", sa.Column("domain_id", steps.identifier(100)))


def downgrade() -> None:
    if "domain_id" in steps.columns("tenants"):
        op.drop_column("tenants", "domain_id")
