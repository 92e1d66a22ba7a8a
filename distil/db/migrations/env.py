# SPDX-License-Identifier: Apache-2.0
"""Alembic's entry: runs revisions over the connection that :mod:`distil.db.migration` passes."""

from alembic import context

from distil.db import models

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=models.metadata,
    # SQLite needs a table rebuilt for most alterations.
    render_as_batch=True,
    # oslo.db begins SQLite's transactions itself, so that DDL is rolled back there as it is in PostgreSQL.
    transactional_ddl=connection.dialect.name != "mysql",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
