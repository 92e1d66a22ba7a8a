# SPDX-License-Identifier: Apache-2.0
"""From a connection URL to an engine."""

from typing import Any

import sqlalchemy as sa
from oslo_db.sqlalchemy import engines

from distil import exceptions
from distil.db import errors

_DRIVERS = {"mariadb": "mysql+pymysql", "mysql": "mysql+pymysql", "postgresql": "postgresql+psycopg"}
# What older URLs say for UTF-8. It lacks most emoji, and ids that are compared with columns must have their charset.
_THREE_BYTES = ("utf8", "utf8mb3")
_ADDED_QUERY = {"mysql": ("charset", "utf8mb4"), "sqlite": ("timeout", "30")}


def create_engine(connection: str, *, connection_parameters: str = "", **options: Any) -> sa.Engine:
    """An engine of oslo.db's: it pings a connection before it lends it and tells deadlocks from lost connections.

    The isolation level is the server's. Exactly one of two committers of a window wins at every level: the compare
    -and-set is an UPDATE, which locks the row and, from READ COMMITTED on, looks at what was committed last; where a
    stricter level refuses that (PostgreSQL's REPEATABLE READ, MariaDB's innodb_snapshot_isolation, Galera's
    certification), the loser gets an error and rolls back. Being the transaction's first statement, it comes before
    any snapshot is taken, so that the rows read after it are current.

    :param connection: SQLAlchemy's URL; one without a driver gets ours, one for MySQL or MariaDB utf8mb4.
    :param connection_parameters: ``name=value&name=value``, appended to the URL.
    :param options: of :func:`oslo_db.sqlalchemy.engines.create_engine`.
    :raises ConfigurationError: the URL cannot be used.
    :raises StoreError: there is no connecting to the database.
    """
    url = _url(connection, connection_parameters)
    options = {"mysql_sql_mode": "TRADITIONAL", **options}
    with errors.translate_errors(f"cannot connect to {url.set(query={})}"):
        try:
            engine: sa.Engine = engines.create_engine(url, sqlite_fk=True, thread_checkin=False, **options)
        except NotImplementedError as error:
            # What SQLAlchemy makes of a first connection that is lost while it looks at the server.
            raise exceptions.StoreError(f"cannot connect to {url.set(query={})}: the connection was lost") from error
        except (ImportError, sa.exc.NoSuchModuleError) as error:
            raise exceptions.ConfigurationError([f"[database] connection: {error}"]) from error
    return engine


def _url(connection: str, parameters: str) -> sa.URL:
    try:
        url = sa.make_url(connection)
    except (sa.exc.ArgumentError, ValueError):
        # Their texts quote the URL, password and all.
        raise exceptions.ConfigurationError(["[database] connection is no URL that SQLAlchemy can read"]) from None
    if url.host and "@" in url.host:
        # The rest of a password, which would be shown with the host's name.
        raise exceptions.ConfigurationError(["[database] connection: write an @ of the password as %40"])
    if parameters:
        url = url.update_query_string(parameters, append=True)
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if url.query.get("charset") in _THREE_BYTES:
        url = url.update_query_dict({"charset": "utf8mb4"})
    added = _ADDED_QUERY.get(url.get_backend_name())
    if added and added[0] not in url.query:
        url = url.update_query_pairs([added])
    return url
