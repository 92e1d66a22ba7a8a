# SPDX-License-Identifier: Apache-2.0
"""[database]: oslo.db's options."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from oslo_config import cfg
from oslo_db import options

from distil import exceptions
from distil.conf import config_files
from distil.conf import secret

GROUP = "database"


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatabaseOptions:
    """The values of the group that an engine is made from, by option name."""

    connection: str
    connection_debug: int
    connection_parameters: str
    connection_recycle_time: int
    connection_trace: bool
    max_overflow: int | None
    max_pool_size: int | None
    max_retries: int
    mysql_sql_mode: str | None
    mysql_wsrep_sync_wait: int | None
    pool_timeout: int | None
    retry_interval: int
    sqlite_synchronous: bool

    def without_retries(self) -> "DatabaseOptions":
        """For a command whose user waits: a failed connection is not retried."""
        return dataclasses.replace(self, max_retries=1, retry_interval=0)

    def engine_arguments(self) -> Mapping[str, Any]:
        """The values by name, without the URL."""
        return {name: value for name, value in vars(self).items() if name != "connection"}


_NAMES = tuple(field.name for field in dataclasses.fields(DatabaseOptions))

# oslo.db's options that have no effect here.
UNUSED = {option.dest for option in options.database_opts} - set(_NAMES)


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(options.database_opts, group=GROUP)


def read(conf: cfg.ConfigOpts) -> DatabaseOptions:
    """The options of the group.

    :raises ConfigurationError: ``connection`` is not set, or contains a ``$`` that cannot be resolved.
    """
    with secret.redacted(f"[{GROUP}] connection"):
        values = {name: conf[GROUP][name] for name in _NAMES}
    if not values["connection"]:
        missing = config_files.none_found(conf)
        raise exceptions.ConfigurationError([f"[{GROUP}] connection is not set" + (f": {missing}" if missing else "")])
    return DatabaseOptions(**values)
