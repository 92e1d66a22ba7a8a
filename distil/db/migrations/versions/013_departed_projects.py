# SPDX-License-Identifier: Apache-2.0
"""Which projects were in scope in the last run, and until when those are collected that have left Keystone since.

The next run fills it in for the projects that it has in scope.
"""

import sqlalchemy as sa
from alembic import op

from distil.db.migrations import steps

revision = "013"
down_revision = "012"
branch_labels = None
depends_on = None

_TIMES = ("departed", "collect_until")


def upgrade() -> None:
    existing = steps.columns("tenants")
    if "in_scope_of" not in existing:
        op.add_column("tenants", sa.Column("in_scope_of", sa.String(255)))
    for name in _TIMES:
        if name not in existing:
            op.add_column("tenants", sa.Column(name, sa.DateTime()))


def downgrade() -> None:
    for name in {"in_scope_of", *_TIMES} & steps.columns("tenants"):
        op.drop_column("tenants", name)
