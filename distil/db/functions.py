# SPDX-License-Identifier: Apache-2.0
"""The time by the database's clock, which all hosts of a site share."""

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
