# SPDX-License-Identifier: Apache-2.0
"""From [database] to an engine, for collectors and for the commands."""

import sqlalchemy as sa

from distil.conf.database import DatabaseOptions
from distil.db import engine


def build_engine(options: DatabaseOptions, *, creates: bool = False) -> sa.Engine:
    """The engine that the options describe.

    :param creates: whether the database may be created, which only SQLite does.
    :raises ConfigurationError: the URL cannot be used.
    :raises StoreError: the connection to the database failed.
    """
    return engine.create_engine(options.connection, must_exist=not creates, **options.engine_arguments())


def require_usable_connection(options: DatabaseOptions) -> None:
    """Check the URL and its parameters without connecting.

    :raises ConfigurationError: they cannot be used.
    """
    engine.require_usable(options.connection, options.connection_parameters)
