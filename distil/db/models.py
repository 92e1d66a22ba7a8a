# SPDX-License-Identifier: Apache-2.0
"""The tables at the newest revision.

Names, order and keys are those of existing installations, on which readers of usage rely.
"""

import sqlalchemy as sa

from distil import model
from distil.db import types

# In characters.
MAX_PROJECT_ID = 100
MAX_PROJECT_NAME = 255
MAX_METER = 255
MAX_OWNER = 255
MAX_COLLECTOR = 255
MAX_TELEMETRY = 255
MAX_RULES = 64
MAX_REASON = 1_000
MAX_DESCRIPTION = 60_000

metadata = sa.MetaData()

tenants = sa.Table(
    "tenants",
    metadata,
    sa.Column("id", types.Identifier(MAX_PROJECT_ID), primary_key=True),
    sa.Column("name", sa.String(MAX_PROJECT_NAME), nullable=False),
    sa.Column("info", types.long_text()),
    sa.Column("created", types.UTCDateTime),
    sa.Column("last_collected", types.UTCDateTime),
    sa.Column("domain_id", types.Identifier(MAX_PROJECT_ID)),
    sa.Column("telemetry", types.Identifier(MAX_TELEMETRY)),
    sa.Column("collector", sa.String(MAX_COLLECTOR)),
    sa.Column("rules", sa.String(MAX_RULES)),
    sa.Column("in_scope_of", sa.String(MAX_COLLECTOR)),
    sa.Column("departed", types.UTCDateTime),
    sa.Column("collect_until", types.UTCDateTime),
)

resources = sa.Table(
    "resources",
    metadata,
    sa.Column("id", types.Identifier(model.MAX_RESOURCE_ID), primary_key=True),
    sa.Column("tenant_id", types.Identifier(MAX_PROJECT_ID), sa.ForeignKey("tenants.id"), primary_key=True),
    sa.Column("info", types.long_text()),
    sa.Column("created", types.UTCDateTime),
)

usage_entry = sa.Table(
    "usage_entry",
    metadata,
    sa.Column("service", types.Identifier(model.MAX_SERVICE), primary_key=True),
    sa.Column("unit", sa.String(model.MAX_UNIT), nullable=False),
    sa.Column("volume", types.Volume),
    sa.Column("tenant_id", types.Identifier(MAX_PROJECT_ID), sa.ForeignKey("tenants.id"), primary_key=True),
    sa.Column("resource_id", types.Identifier(model.MAX_RESOURCE_ID), primary_key=True),
    sa.Column("start", types.UTCDateTime, primary_key=True),
    sa.Column("end", types.UTCDateTime, primary_key=True),
    sa.Column("created", types.UTCDateTime),
    sa.ForeignKeyConstraint(["resource_id", "tenant_id"], ["resources.id", "resources.tenant_id"]),
    sa.Index("ix_usage_entry_tenant_id_start", "tenant_id", "start"),
    sa.Index("ix_usage_entry_start", "start"),
)

sales_orders = sa.Table(
    "sales_orders",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("tenant_id", types.Identifier(MAX_PROJECT_ID), sa.ForeignKey("tenants.id"), primary_key=True),
    sa.Column("start_at", types.UTCDateTime, primary_key=True),
    sa.Column("end_at", types.UTCDateTime, primary_key=True),
)

project_locks = sa.Table(
    "project_locks",
    metadata,
    sa.Column("created", types.UTCDateTime, nullable=False),
    sa.Column("project_id", types.Identifier(MAX_PROJECT_ID), primary_key=True),
    sa.Column("owner", sa.String(MAX_OWNER), nullable=False),
    sa.Column("expires", types.UTCDateTime),
)

distil_last_run = sa.Table(
    "distil_last_run",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("last_run", types.UTCDateTime),
)

rejected_samples = sa.Table(
    "rejected_samples",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
    sa.Column("tenant_id", types.Identifier(MAX_PROJECT_ID), nullable=False),
    sa.Column("meter", sa.String(MAX_METER), nullable=False),
    sa.Column("resource_id", types.Identifier(model.MAX_RESOURCE_ID)),
    sa.Column("start", types.UTCDateTime, nullable=False),
    sa.Column("end", types.UTCDateTime, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("sample", types.long_text(), nullable=False),
    sa.Column("created", types.UTCDateTime, nullable=False),
    sa.Index("ix_rejected_samples_tenant_id_start", "tenant_id", "start"),
)

# No foreign key: a project may fail before it has a row in tenants.
project_failures = sa.Table(
    "project_failures",
    metadata,
    sa.Column("tenant_id", types.Identifier(MAX_PROJECT_ID), primary_key=True),
    sa.Column("collector", sa.String(MAX_COLLECTOR), nullable=False),
    sa.Column("start", types.UTCDateTime),
    sa.Column("end", types.UTCDateTime),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("since", types.UTCDateTime, nullable=False),
    sa.Column("seen", types.UTCDateTime, nullable=False),
    sa.Column("runs", sa.Integer, nullable=False),
)
