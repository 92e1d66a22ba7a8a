# SPDX-License-Identifier: Apache-2.0
"""Volumes with ten decimal places instead of two, so that usage is not rounded.

The downgrade rounds volumes to two places.
"""

from decimal import Decimal

import sqlalchemy as sa
from alembic import op

revision = "003"
down_revision = "002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _alter(sa.Numeric(20, 2), sa.Numeric(38, 10))


def downgrade() -> None:
    _alter(sa.Numeric(38, 10), sa.Numeric(20, 2))


def _alter(old: sa.Numeric[Decimal], new: sa.Numeric[Decimal]) -> None:
    with op.batch_alter_table("usage_entry") as batch:
        batch.alter_column("volume", existing_type=old, type_=new, existing_nullable=True)
