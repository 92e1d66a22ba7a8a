# SPDX-License-Identifier: Apache-2.0
"""Connection URLs: their defaults, and what they may contain."""

import os
import re
from collections.abc import Mapping

import sqlalchemy as sa

from distil import exceptions

PREPARE_THRESHOLD = "prepare_threshold"

_SECRET = re.compile("pass|secret")
_DRIVERS = {"mariadb": "mysql+pymysql", "mysql": "mysql+pymysql", "postgresql": "postgresql+psycopg"}
# Names of MySQL's UTF-8 with three bytes at most, in older URLs. It lacks most emoji, and ids that are compared with
# columns must have the columns' charset.
_UTF8MB3_NAMES = ("utf8", "utf8mb3")
# SQLite's timeout is in seconds.
_DEFAULT_QUERY = {"mysql": ("charset", "utf8mb4"), "sqlite": ("timeout", "30")}
# By the beginning of a URL, how one begins whose driver is installed.
_USABLE_BEGINNINGS = {"postgres": "postgresql://", "mysql": "mysql+pymysql://", "mariadb": "mysql+pymysql://"}
# PyMySQL's parameters that may name the database instead. PostgreSQL has a default: the name of the user.
_NAME_DATABASE = {"database", "db", "read_default_file", "read_default_group"}
# Only with a single @, before any ?: the text may be a part of the password otherwise.
_PORT = re.compile(r"[^@?]*@(?:\[[^@?\]]*\]|[^@?:/\[]*):(?P<port>[^@?/]*)(?:[?/][^@]*)?")
_UNEXPECTED_ARGUMENT = re.compile(r"unexpected keyword argument '(\w+)'")


def parse(connection: str, parameters: str = "") -> sa.URL:
    """Parses a URL, and adds the driver and, for MariaDB and MySQL, ``charset=utf8mb4`` if missing.

    :param parameters: ``name=value&name=value``, appended to the URL.
    :raises ConfigurationError: it is not valid.
    """
    try:
        url = sa.make_url(connection)
    except (sa.exc.ArgumentError, ValueError):
        # Their messages quote the URL with its password.
        problem = f"[database] connection is not a valid database URL{_invalid_port(connection)}"
        raise exceptions.ConfigurationError([problem]) from None
    if url.host and "@" in url.host:
        # The end of a password, which messages would show as part of the host name.
        raise exceptions.ConfigurationError(["[database] connection: an @ in the password must be written as %40"])
    if parameters:
        url = url.update_query_string(parameters, append=True)
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    _require_transactions(url)
    _require_database(url)
    if url.query.get("charset") in _UTF8MB3_NAMES:
        url = url.update_query_dict({"charset": "utf8mb4"})
    default = _DEFAULT_QUERY.get(url.get_backend_name())
    if default and default[0] not in url.query:
        url = url.update_query_pairs([default])
    return url


def describe(url: sa.URL) -> str:
    """The URL without its password and parameters, and the option that it is from, for messages."""
    return f"{url.set(query={})} ([database] connection)"


def unusable(url: sa.URL, error: BaseException) -> exceptions.ConfigurationError:
    """The error for a URL that the driver cannot use.

    :param error: of the driver, or of a library that it needs.
    """
    parameters = {name: str(value) for name, value in url.query.items()}
    text = _cause(error, parameters)
    secrets = {value for name, value in parameters.items() if _SECRET.search(name)} | {str(url.password or "")}
    for secret in secrets - {""}:
        text = text.replace(secret, "***")
    added = _DEFAULT_QUERY.get(url.get_backend_name())
    written = [parameter for parameter in sorted(parameters.items()) if parameter != added]
    shown = ", ".join(f"{name}={'***' if value in secrets else value}" for name, value in written)
    subject = f"its parameters ({shown})" if shown else "it"
    problem = f"[database] connection: {url.get_driver_name()} cannot use {subject}: {text}"
    return exceptions.ConfigurationError([problem])


def without_driver(url: sa.URL, error: BaseException) -> exceptions.ConfigurationError:
    """The error for a URL whose driver is unknown or not installed."""
    backend = url.get_backend_name()
    beginning = next((usable for name, usable in _USABLE_BEGINNINGS.items() if backend.startswith(name)), None)
    hint = f"; write {beginning}" if beginning else ""
    return exceptions.ConfigurationError([f"[database] connection: {url.drivername}://: {error}{hint}"])


def prepare_threshold(url: sa.URL) -> int | None:
    """psycopg's parameter: executions of a statement after which it is prepared; None: it never is.

    A prepared statement outlives the transaction, after which PgBouncer may give the server's connection to another
    client. It saves next to nothing here, so the default is None.

    :raises ConfigurationError: it is no number.
    """
    value = str(url.query.get(PREPARE_THRESHOLD, "none"))
    if value.lower() == "none":
        return None
    if not value.isdecimal():
        problem = f"[database] connection: {PREPARE_THRESHOLD} = {value!r} must be a number, or none"
        raise exceptions.ConfigurationError([problem])
    return int(value)


def require_file(url: sa.URL) -> None:
    """Checks that SQLite's file exists: a connection would create an empty one.

    :raises StoreError: it does not.
    """
    name = url.database
    if url.get_backend_name() != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return
    if not os.path.lexists(name):
        path = os.path.abspath(name)
        raise exceptions.StoreError(
            f"could not connect to {describe(url)}: {path} does not exist; distil-db-manage upgrade head creates it"
        )


def _require_transactions(url: sa.URL) -> None:
    if "autocommit" in url.query:
        problem = "[database] connection: autocommit cannot be set, because usage is stored in transactions"
        raise exceptions.ConfigurationError([problem])


def _require_database(url: sa.URL) -> None:
    if url.get_backend_name() == "mysql" and not url.database and not _NAME_DATABASE & url.query.keys():
        example = url.set(database="distil", query={})
        raise exceptions.ConfigurationError([f"[database] connection names no database, as {example} does"])


def _invalid_port(connection: str) -> str:
    found = _PORT.fullmatch(connection)
    if not found or not found["port"] or found["port"].isdecimal():
        return ""
    return f": the port {found['port']!r} is not a number"


def _cause(error: BaseException, parameters: Mapping[str, str]) -> str:
    """What is wrong with the parameters, as far as the error tells, or the error itself."""
    unexpected = _UNEXPECTED_ARGUMENT.search(str(error))
    if isinstance(error, TypeError) and unexpected:
        return f"unknown parameter {unexpected[1]}"
    unreadable = [name for name, value in parameters.items() if value.startswith("/") and not os.access(value, os.R_OK)]
    if isinstance(error, OSError) and unreadable:
        return f"cannot read the file of {', '.join(unreadable)}: {error.strerror}"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
