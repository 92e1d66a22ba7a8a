# SPDX-License-Identifier: Apache-2.0
"""The group [database]: oslo.db's options."""

from typing import Any

import sqlalchemy as sa
from oslo_config import cfg
from oslo_db import options

from distil import exceptions
from distil.conf import secret
from distil.db import engine

_ENGINE_OPTIONS = (
    "connection_debug",
    "connection_parameters",
    "connection_recycle_time",
    "connection_trace",
    "max_overflow",
    "max_pool_size",
    "max_retries",
    "mysql_sql_mode",
    "mysql_wsrep_sync_wait",
    "pool_timeout",
    "retry_interval",
    "sqlite_synchronous",
)

MEANINGLESS = {option.dest for option in options.database_opts} - {"connection", *_ENGINE_OPTIONS}


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(options.database_opts, group="database")


def check(conf: cfg.ConfigOpts) -> None:
    """:raises ConfigurationError: there is no connection URL."""
    with secret.redacted("[database] connection"):
        connection = conf.database.connection
    if not connection:
        raise exceptions.ConfigurationError(["[database] connection is not set"])


def create_engine(conf: cfg.ConfigOpts, **others: Any) -> sa.Engine:
    """The engine that the group describes.

    :param others: options with other values than there.
    :raises ConfigurationError: there is no connection URL, or it cannot be used.
    :raises StoreError: there is no connecting to the database.
    """
    check(conf)
    arguments = {name: conf.database[name] for name in _ENGINE_OPTIONS}
    return engine.create_engine(conf.database.connection, **arguments | others)
