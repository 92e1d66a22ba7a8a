# SPDX-License-Identifier: Apache-2.0
"""Alembic's environment: runs revisions over the connection from :mod:`distil.db.migration`."""

from alembic import context

from distil.db import models

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=models.metadata,
    # SQLite requires most alterations to rebuild the table.
    render_as_batch=True,
    # oslo.db begins SQLite's transactions itself, so that DDL can be rolled back as in PostgreSQL.
    transactional_ddl=connection.dialect.name != "mysql",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
