# SPDX-License-Identifier: Apache-2.0
"""From [database] to an engine, for collectors and for the commands."""

import sqlalchemy as sa

from distil.conf.database import DatabaseOptions
from distil.db import engine


def build_engine(options: DatabaseOptions) -> sa.Engine:
    """The engine that the options describe.

    :raises ConfigurationError: the URL cannot be used.
    :raises StoreError: the connection to the database failed.
    """
    return engine.create_engine(options.connection, **options.engine_arguments())


def require_usable_connection(options: DatabaseOptions) -> None:
    """Check the URL and its parameters without connecting.

    :raises ConfigurationError: they cannot be used.
    """
    engine.require_usable(options.connection, options.connection_parameters)
