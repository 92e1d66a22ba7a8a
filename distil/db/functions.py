# SPDX-License-Identifier: Apache-2.0
"""SQL functions whose form depends on the database."""

import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext import compiler
from sqlalchemy.sql import functions

from distil.db import types


class utc_timestamp(functions.FunctionElement[datetime.datetime]):  # noqa: N801 - named as SQLAlchemy names its own functions
    """The server's time in UTC, plus some seconds, as a UTCDateTime."""

    type = types.UTCDateTime()
    inherit_cache = True

    def __init__(self, seconds: int = 0) -> None:
        super().__init__(sa.literal(seconds, sa.Integer))


@compiler.compiles(utc_timestamp, "sqlite")
def _sqlite(element: utc_timestamp, visitor: Any, **options: Any) -> str:
    seconds = visitor.process(element.clauses, **options)
    return f"strftime('%Y-%m-%d %H:%M:%S.000000', 'now', {seconds} || ' seconds')"


@compiler.compiles(utc_timestamp, "mysql")
@compiler.compiles(utc_timestamp, "mariadb")
def _mysql(element: utc_timestamp, visitor: Any, **options: Any) -> str:
    return f"(UTC_TIMESTAMP() + INTERVAL {visitor.process(element.clauses, **options)} SECOND)"


@compiler.compiles(utc_timestamp, "postgresql")
def _postgresql(element: utc_timestamp, visitor: Any, **options: Any) -> str:
    seconds = visitor.process(element.clauses, **options)
    return f"(timezone('utc', clock_timestamp()) + make_interval(secs => {seconds}))"


class valid_time(functions.FunctionElement[datetime.datetime]):  # noqa: N801
    """A column's time, or NULL if Python has no such time.

    PostgreSQL's driver fails the whole query for a single infinity; the others read what is not a time as NULL.
    """

    type = types.UTCDateTime()
    inherit_cache = True

    def __init__(self, column: sa.ColumnElement[Any]) -> None:
        super().__init__(column)


@compiler.compiles(valid_time)
def _any_time(element: valid_time, visitor: Any, **options: Any) -> str:
    return str(visitor.process(element.clauses, **options))


@compiler.compiles(valid_time, "postgresql")
def _postgresql_time(element: valid_time, visitor: Any, **options: Any) -> str:
    time = visitor.process(element.clauses, **options)
    return f"(CASE WHEN {time} BETWEEN '0001-01-01' AND '9999-12-31' THEN {time} END)"


class seconds_between(functions.FunctionElement[int]):  # noqa: N801
    """The whole seconds from one time to another."""

    type = sa.BigInteger()
    inherit_cache = True

    def __init__(self, start: sa.ColumnElement[Any], end: sa.ColumnElement[Any]) -> None:
        super().__init__(start, end)


@compiler.compiles(seconds_between, "sqlite")
def _sqlite_seconds(element: seconds_between, visitor: Any, **options: Any) -> str:
    start, end = (visitor.process(time, **options) for time in element.clauses)
    return f"(strftime('%s', {end}) - strftime('%s', {start}))"


@compiler.compiles(seconds_between, "mysql")
@compiler.compiles(seconds_between, "mariadb")
def _mysql_seconds(element: seconds_between, visitor: Any, **options: Any) -> str:
    return f"TIMESTAMPDIFF(SECOND, {visitor.process(element.clauses, **options)})"


@compiler.compiles(seconds_between, "postgresql")
def _postgresql_seconds(element: seconds_between, visitor: Any, **options: Any) -> str:
    start, end = (visitor.process(time, **options) for time in element.clauses)
    return f"CAST(extract(epoch FROM {end} - {start}) AS bigint)"
