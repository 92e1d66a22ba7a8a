# SPDX-License-Identifier: Apache-2.0
"""Project locks become leases, which expire.

The downgrade deletes the leases, because collectors of earlier revisions would regard them as locks without an expiry.
"""

import sqlalchemy as sa
from alembic import op

from distil.db.migrations import steps

revision = "008"
down_revision = "007"
branch_labels = None
depends_on = None

_LOCKS = sa.table("project_locks", sa.column("expires", sa.DateTime))


def upgrade() -> None:
    if "expires" not in steps.columns("project_locks"):
        op.add_column("project_locks", sa.Column("expires", sa.DateTime))


def downgrade() -> None:
    if "expires" in steps.columns("project_locks"):
        op.execute(sa.delete(_LOCKS).where(_LOCKS.c.expires.is_not(None)))
        op.drop_column("project_locks", "expires")
