# SPDX-License-Identifier: Apache-2.0
"""Makes engines from connection URLs."""

from typing import Any

import sqlalchemy as sa
from oslo_db.sqlalchemy import engines

from distil import exceptions
from distil.db import errors

_DRIVERS = {"mariadb": "mysql+pymysql", "mysql": "mysql+pymysql", "postgresql": "postgresql+psycopg"}
# Names of MySQL's UTF-8 with three bytes at most, in older URLs. It lacks most emoji, and ids that are compared with
# columns must have the columns' charset.
_UTF8MB3_NAMES = ("utf8", "utf8mb3")
# SQLite's timeout is in seconds.
_DEFAULT_QUERY = {"mysql": ("charset", "utf8mb4"), "sqlite": ("timeout", "30")}


def create_engine(connection: str, *, connection_parameters: str = "", **options: Any) -> sa.Engine:
    """Creates an oslo.db engine, which pings pooled connections and distinguishes deadlocks from lost connections.

    The isolation level is the server's. Of two collectors that commit the same window, exactly one succeeds at every
    level: the compare-and-set is an UPDATE, which locks the row and, from READ COMMITTED on, reads what was committed
    last. Where a stricter level refuses that (PostgreSQL's REPEATABLE READ, MariaDB's innodb_snapshot_isolation,
    Galera's certification), the loser gets an error and rolls back. The UPDATE is the transaction's first statement
    and precedes any snapshot, so that rows read after it are current.

    :param connection: SQLAlchemy's URL. The driver and, for MariaDB and MySQL, ``charset=utf8mb4`` are added if
        missing.
    :param connection_parameters: ``name=value&name=value``, appended to the URL.
    :param options: of :func:`oslo_db.sqlalchemy.engines.create_engine`.
    :raises ConfigurationError: the URL is not valid.
    :raises StoreError: the connection failed.
    """
    url = _url(connection, connection_parameters)
    options = {"mysql_sql_mode": "TRADITIONAL", **options}
    with errors.translate_errors(f"connect to {url.set(query={})}"):
        try:
            engine: sa.Engine = engines.create_engine(url, sqlite_fk=True, thread_checkin=False, **options)
        except NotImplementedError as error:
            # Raised by SQLAlchemy if the first connection is lost while it inspects the server.
            raise exceptions.StoreError(f"could not connect to {url.set(query={})}: the connection was lost") from error
        except (ImportError, sa.exc.NoSuchModuleError) as error:
            raise exceptions.ConfigurationError([f"[database] connection: {error}"]) from error
    return engine


def _url(connection: str, parameters: str) -> sa.URL:
    try:
        url = sa.make_url(connection)
    except (sa.exc.ArgumentError, ValueError):
        # Their messages quote the URL with its password.
        raise exceptions.ConfigurationError(["[database] connection is not a valid database URL"]) from None
    if url.host and "@" in url.host:
        # The end of a password, which messages would show as part of the host name.
        raise exceptions.ConfigurationError(["[database] connection: an @ in the password must be written as %40"])
    if parameters:
        url = url.update_query_string(parameters, append=True)
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if url.query.get("charset") in _UTF8MB3_NAMES:
        url = url.update_query_dict({"charset": "utf8mb4"})
    default = _DEFAULT_QUERY.get(url.get_backend_name())
    if default and default[0] not in url.query:
        url = url.update_query_pairs([default])
    return url
