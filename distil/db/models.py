# SPDX-License-Identifier: Apache-2.0
"""The tables at the newest revision.

Names, order and keys are those of existing installations, on which readers of usage rely.
"""

from collections.abc import Iterator
from typing import Any

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
MAX_DIGEST = 80
MAX_PERIOD = 64
MAX_USER = 255

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

# Rules, and names that look-ups answered: each text is stored once, and receipts refer to it.
documents = sa.Table(
    "documents",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
    sa.Column("digest", types.Identifier(MAX_DIGEST), nullable=False, unique=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("body", types.long_text(), nullable=False),
    sa.Column("created", types.UTCDateTime, nullable=False),
)


def _receipt_columns() -> Iterator[sa.Column[Any]]:
    for name in ("samples", "used", "untrusted", "duplicates", "rejected", "entries"):
        yield sa.Column(name, sa.Integer, nullable=False)
    yield sa.Column("meters", types.long_text(), nullable=False)
    yield sa.Column("samples_digest", sa.String(MAX_DIGEST), nullable=False)
    yield sa.Column("usage_digest", sa.String(MAX_DIGEST), nullable=False)
    yield sa.Column("rules", sa.BigInteger, nullable=False)
    yield sa.Column("names", sa.BigInteger, nullable=False)
    yield sa.Column("telemetry", types.Identifier(MAX_TELEMETRY))
    yield sa.Column("collector", sa.String(MAX_COLLECTOR))
    yield sa.Column("suspect", sa.Text)
    yield sa.Column("closed_period", types.Identifier(MAX_PERIOD))
    yield sa.Column("committed", types.UTCDateTime, nullable=False)


# One row for each window that was committed since revision 014. "rules" and "names" are ids of documents.
# "closed_period" names the period that was closed already when the window was committed.
# No foreign keys: they would have collectors wait for one another's locks.
receipts = sa.Table(
    "receipts",
    metadata,
    sa.Column("tenant_id", types.Identifier(MAX_PROJECT_ID), primary_key=True),
    sa.Column("start", types.UTCDateTime, primary_key=True),
    sa.Column("end", types.UTCDateTime, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    *_receipt_columns(),
    sa.Index("ix_receipts_start", "start"),
    sa.Index("ix_receipts_rules_collector_start", "rules", "collector", "start"),
)

# The receipts of earlier revisions as they were; why, by whom and when they were replaced.
receipt_history = sa.Table(
    "receipt_history",
    metadata,
    sa.Column("tenant_id", types.Identifier(MAX_PROJECT_ID), primary_key=True),
    sa.Column("start", types.UTCDateTime, primary_key=True),
    sa.Column("end", types.UTCDateTime, nullable=False),
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    *_receipt_columns(),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("changed_by", sa.String(MAX_USER), nullable=False),
    sa.Column("changed", types.UTCDateTime, nullable=False),
)

# Usage entries that were replaced, as they were; the last revision of the window that had them.
usage_history = sa.Table(
    "usage_history",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
    sa.Column("service", types.Identifier(model.MAX_SERVICE), nullable=False),
    sa.Column("unit", sa.String(model.MAX_UNIT), nullable=False),
    sa.Column("volume", types.Volume),
    sa.Column("tenant_id", types.Identifier(MAX_PROJECT_ID), nullable=False),
    sa.Column("resource_id", types.Identifier(model.MAX_RESOURCE_ID), nullable=False),
    sa.Column("start", types.UTCDateTime, nullable=False),
    sa.Column("end", types.UTCDateTime, nullable=False),
    sa.Column("created", types.UTCDateTime),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("changed_by", sa.String(MAX_USER), nullable=False),
    sa.Column("changed", types.UTCDateTime, nullable=False),
    sa.Index("ix_usage_history_tenant_id_start", "tenant_id", "start"),
)

# Each time that a period was compared with what the telemetry service holds.
rechecks = sa.Table(
    "rechecks",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
    sa.Column("start", types.UTCDateTime, nullable=False),
    sa.Column("end", types.UTCDateTime, nullable=False),
    sa.Column("collector", sa.String(MAX_COLLECTOR), nullable=False),
    sa.Column("telemetry", types.Identifier(MAX_TELEMETRY), nullable=False),
    sa.Column("method", sa.String(16), nullable=False),
    sa.Column("windows", sa.Integer, nullable=False),
    sa.Column("late", sa.Integer, nullable=False),
    sa.Column("checked", types.UTCDateTime, nullable=False),
    sa.Index("ix_rechecks_start", "start"),
)

# Windows of which the telemetry service holds other samples than were collected, until they are collected again. A
# window without a receipt is that of a project that no run has seen.
late_windows = sa.Table(
    "late_windows",
    metadata,
    sa.Column("tenant_id", types.Identifier(MAX_PROJECT_ID), primary_key=True),
    sa.Column("start", types.UTCDateTime, primary_key=True),
    sa.Column("end", types.UTCDateTime, nullable=False),
    sa.Column("samples", sa.Integer, nullable=False),
    sa.Column("checked", types.UTCDateTime, nullable=False),
    sa.Index("ix_late_windows_start", "start"),
)

# What runs have learnt from Keystone of each project: a row for each change.
project_states = sa.Table(
    "project_states",
    metadata,
    sa.Column("tenant_id", types.Identifier(MAX_PROJECT_ID), primary_key=True),
    sa.Column("since", types.UTCDateTime, primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("name", sa.String(MAX_PROJECT_NAME)),
    sa.Column("domain_id", types.Identifier(MAX_PROJECT_ID)),
    sa.Column("collector", sa.String(MAX_COLLECTOR), nullable=False),
)

# The projects in scope of each run: their number, and a digest of their ids.
rosters = sa.Table(
    "rosters",
    metadata,
    sa.Column("collector", types.Identifier(MAX_COLLECTOR), primary_key=True),
    sa.Column("taken", types.UTCDateTime, primary_key=True),
    sa.Column("projects", sa.Integer, nullable=False),
    sa.Column("digest", sa.String(MAX_DIGEST), nullable=False),
)

# Closed periods. "closed" is NULL while a period is being closed: nothing in it may be changed from then on. "previous"
# is the name of the period before it, or empty: only one period can follow another, also if two are closed at once.
periods = sa.Table(
    "periods",
    metadata,
    sa.Column("name", types.Identifier(MAX_PERIOD), primary_key=True),
    sa.Column("start", types.UTCDateTime, nullable=False),
    sa.Column("end", types.UTCDateTime, nullable=False),
    sa.Column("closing", types.UTCDateTime, nullable=False),
    sa.Column("closed", types.UTCDateTime),
    sa.Column("closed_by", sa.String(MAX_USER), nullable=False),
    sa.Column("previous", types.Identifier(MAX_PERIOD), nullable=False, unique=True),
    sa.Column("pruned", types.UTCDateTime),
    sa.Column("digest", sa.String(MAX_DIGEST)),
    sa.Column("manifest", types.long_text()),
    sa.Index("ix_periods_start", "start"),
)
