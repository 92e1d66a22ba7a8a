# SPDX-License-Identifier: Apache-2.0
"""Tables of tenants, resources, usage entries, sales orders and the last run."""

import sqlalchemy as sa
from alembic import op

from distil.db.migrations import steps

revision = "001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", sa.String(100), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("info", sa.Text),
        sa.Column("created", sa.DateTime),
        sa.Column("last_collected", sa.DateTime),
        if_not_exists=True,
    )
    op.create_table(
        "resources",
        sa.Column("id", sa.String(100), primary_key=True),
        sa.Column("tenant_id", sa.String(100), sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("info", sa.Text),
        sa.Column("created", sa.DateTime),
        if_not_exists=True,
    )
    _create_usage_entry()
    op.create_table(
        "sales_orders",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("tenant_id", sa.String(64), sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("start_at", sa.DateTime, primary_key=True),
        sa.Column("end_at", sa.DateTime, primary_key=True),
        if_not_exists=True,
    )
    op.create_table(
        "distil_last_run",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("last_run", sa.DateTime),
        if_not_exists=True,
    )


def _create_usage_entry() -> None:
    resource = [sa.ForeignKey("resources.id")] if steps.can_refer_to_part_of_a_key() else []
    op.create_table(
        "usage_entry",
        sa.Column("service", sa.String(100), primary_key=True),
        sa.Column("unit", sa.String(100), nullable=False),
        sa.Column("volume", sa.Numeric(20, 2)),
        sa.Column("tenant_id", sa.String(100), sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("resource_id", sa.String(100), *resource, primary_key=True),
        sa.Column("start", sa.DateTime, primary_key=True),
        sa.Column("end", sa.DateTime, primary_key=True),
        sa.Column("created", sa.DateTime),
        if_not_exists=True,
    )


def downgrade() -> None:
    for table in ("distil_last_run", "sales_orders", "usage_entry", "resources", "tenants"):
        op.drop_table(table, if_exists=True)
