# SPDX-License-Identifier: Apache-2.0
"""From which telemetry service, by which collector and by which rules a project is collected.

The next commit of each project fills it in.
"""

import sqlalchemy as sa
from alembic import op

from distil.db.migrations import steps

revision = "012"
down_revision = "011"
branch_labels = None
depends_on = None


def _columns() -> tuple[sa.Column[str], ...]:
    return (
        sa.Column("telemetry", steps.identifier(255)),
        sa.Column("collector", sa.String(255)),
        sa.Column("rules", sa.String(64)),
    )


def upgrade() -> None:
    present = steps.columns("tenants")
    for column in _columns():
        if column.name not in present:
            op.add_column("tenants", column)


def downgrade() -> None:
    present = steps.columns("tenants")
    for column in reversed(_columns()):
        if column.name in present:
            op.drop_column("tenants", column.name)
