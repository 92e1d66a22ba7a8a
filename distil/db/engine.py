# SPDX-License-Identifier: Apache-2.0
"""Makes engines from connection URLs."""

import contextlib
import functools
import warnings
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
import tenacity
from oslo_db import exception as db_exception
from oslo_db.sqlalchemy import engines
from oslo_log import log

from distil import exceptions
from distil.db import errors
from distil.db import urls

LOG = log.getLogger(__name__)


def create_engine(
    connection: str,
    *,
    connection_parameters: str = "",
    max_retries: int = 10,
    retry_interval: int = 10,
    must_exist: bool = False,
    **options: Any,
) -> sa.Engine:
    """Creates an oslo.db engine, which pings pooled connections and distinguishes deadlocks from lost connections.

    The isolation level is the server's. Of two collectors that commit the same window, exactly one succeeds at every
    level: the compare-and-set is an UPDATE, which locks the row and, from READ COMMITTED on, reads what was committed
    last. Where a stricter level refuses that (PostgreSQL's REPEATABLE READ, MariaDB's innodb_snapshot_isolation,
    Galera's certification), the loser gets an error and rolls back. The UPDATE is the transaction's first statement
    and precedes any snapshot, so that rows read after it are current.

    :param connection: SQLAlchemy's URL; see :func:`distil.db.urls.parse`.
    :param connection_parameters: ``name=value&name=value``, appended to the URL.
    :param max_retries: number of attempts to connect; -1: no limit; 0: the first use connects.
    :param retry_interval: seconds between them.
    :param must_exist: do not create SQLite's file.
    :param options: of :func:`oslo_db.sqlalchemy.engines.create_engine`.
    :raises ConfigurationError: the URL or a parameter is not valid.
    :raises StoreError: the connection failed.
    """
    url = urls.parse(connection, connection_parameters)
    options = {"mysql_sql_mode": "TRADITIONAL", **options}
    with errors.translate_errors(f"connect to {urls.describe(url)}"), _configuration_errors(url):
        # Without attempts to connect, because the errors of the driver are not translated yet.
        engine: sa.Engine = engines.create_engine(url, sqlite_fk=True, thread_checkin=False, max_retries=0, **options)
        _connect_by(engine, urls.prepare_threshold(url))
        if must_exist:
            urls.require_file(url)
        if max_retries:
            _attempts(url, max_retries, retry_interval)(lambda: engine.connect().close())
    return engine


def require_usable(connection: str, connection_parameters: str = "") -> None:
    """Checks as much as possible without connecting.

    :raises ConfigurationError: the URL or a parameter is not valid.
    """
    engine = create_engine(connection, connection_parameters=connection_parameters, max_retries=0)
    try:
        arguments, parameters = engine.dialect.create_connect_args(engine.url)
        if engine.driver == "pymysql":
            pymysql: Any = engine.dialect.loaded_dbapi
            pymysql.connect(*arguments, **parameters, defer_connect=True)
        elif engine.driver == "psycopg":
            from psycopg import conninfo  # noqa: PLC0415 - only where it is the driver

            names = engine.url.query.keys() - {urls.PREPARE_THRESHOLD}
            conninfo.make_conninfo("", **{name: parameters[name] for name in names})
    except Exception as error:
        raise urls.unusable(engine.url, error) from error


def _connect_by(engine: sa.Engine, prepare_threshold: int | None) -> None:
    """Has the engine raise ConfigurationError if the driver cannot use the URL, whenever it connects.

    :param prepare_threshold: for psycopg.
    """

    @sa.event.listens_for(engine, "do_connect")
    def connect(dialect: Any, _record: object, arguments: Any, parameters: dict[str, Any]) -> Any:
        if dialect.driver == "psycopg":
            parameters[urls.PREPARE_THRESHOLD] = prepare_threshold
        try:
            return dialect.connect(*arguments, **parameters)
        except dialect.loaded_dbapi.ProgrammingError as error:
            # Nothing has been executed that is not in the URL.
            raise urls.unusable(engine.url, error) from error
        except dialect.loaded_dbapi.Error:
            raise
        except Exception as error:
            raise urls.unusable(engine.url, error) from error


@contextlib.contextmanager
def _configuration_errors(url: sa.URL) -> Iterator[None]:
    """Raises what SQLAlchemy and the driver make of a wrong URL as ConfigurationError."""
    try:
        with warnings.catch_warnings():
            # SQLite's parameters that have no effect.
            warnings.filterwarnings("error", "Query string argument", sa.exc.SAWarning)
            yield
    except NotImplementedError as error:
        # Raised by SQLAlchemy if the first connection is lost while it inspects the server.
        raise exceptions.StoreError(f"could not connect to {urls.describe(url)}: the connection was lost") from error
    except (ImportError, sa.exc.NoSuchModuleError) as error:
        raise urls.without_driver(url, error) from error
    except (sa.exc.ArgumentError, sa.exc.SAWarning, ValueError, TypeError, AttributeError) as error:
        raise urls.unusable(url, error) from error


def _attempts(url: sa.URL, number: int, interval: int) -> tenacity.Retrying:
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(db_exception.DBConnectionError),
        stop=tenacity.stop_never if number < 0 else tenacity.stop_after_attempt(number),
        wait=tenacity.wait_fixed(interval),
        before_sleep=functools.partial(_warn, url, interval),
        reraise=True,
    )


def _warn(url: sa.URL, interval: int, state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    cause = errors.driver_message(error) if error else None
    LOG.warning("Could not connect to %s, retrying in %d seconds: %s", urls.describe(url), interval, cause)
