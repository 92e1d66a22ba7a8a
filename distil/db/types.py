# SPDX-License-Identifier: Apache-2.0
"""Column types that behave alike in all supported databases."""

import datetime
import functools
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect

from distil import model


def exact_collation(dialect: Dialect) -> str:
    """The collation of MariaDB or MySQL in which only identical strings are equal.

    Others disregard case or pad with blanks: ``a`` and ``A``, or ``a`` and ``a ``, would be one resource.
    """
    return "utf8mb4_nopad_bin" if getattr(dialect, "is_mariadb", False) else "utf8mb4_0900_bin"


def long_text() -> types.TypeEngine[str]:
    """Text of up to 16 MiB in MariaDB and MySQL, whose TEXT is limited to 64 KiB, and of any length elsewhere."""
    return sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql")


class Identifier(types.TypeDecorator[str]):
    """A string that is equal only to identical strings, in case and trailing blanks too."""

    impl = sa.String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        length = self.impl_instance.length  # type: ignore[attr-defined]
        if dialect.name != "mysql":
            return dialect.type_descriptor(sa.String(length))
        return dialect.type_descriptor(mysql.VARCHAR(length, collation=exact_collation(dialect)))


class _SQLiteDateTime(sqlite.DATETIME):
    """SQLite's datetimes, which are any text. What is not a time is read as None: it must not fail the whole query."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime.datetime | None]:
        parse = super().result_processor(dialect, coltype)

        def process(value: Any) -> datetime.datetime | None:
            try:
                return parse(value)  # type: ignore[misc]
            except (ValueError, TypeError):
                return None

        return process


class UTCDateTime(types.TypeDecorator[datetime.datetime]):
    """Timezone-aware datetimes, stored in UTC without a zone.

    What is not a time is read as None: MySQL's zero date, which PyMySQL returns as text, and any text in SQLite.
    """

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(_SQLiteDateTime())  # type: ignore[no-untyped-call]
        return dialect.type_descriptor(sa.DateTime())

    def process_bind_param(self, value: datetime.datetime | None, dialect: Dialect) -> datetime.datetime | str | None:
        if value is None:
            return None
        # PyMySQL formats a datetime in three times the time that it takes to quote text.
        return _text(value) if dialect.name == "mysql" else _naive(value)

    def process_result_value(self, value: datetime.datetime | None, _dialect: Dialect) -> datetime.datetime | None:
        return value.replace(tzinfo=datetime.UTC) if isinstance(value, datetime.datetime) else None


# Below this, a floating point number represents all digits of a volume's scale.
_MAX_EXACT_FLOAT = 10 ** (sys.float_info.dig - model.SCALE)


class Volume(types.TypeDecorator[Decimal]):
    """A Decimal with :data:`distil.model.SCALE` decimal places.

    SQLite stores floating point numbers, which keep 15 significant digits.
    """

    impl = sa.Numeric
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(38, model.SCALE)

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.Numeric(38, model.SCALE, asdecimal=False))
        return dialect.type_descriptor(sa.Numeric(38, model.SCALE))

    def process_result_value(self, value: Any, _dialect: Dialect) -> Decimal | None:
        if isinstance(value, int):
            return Decimal(value)
        return _decimal(value) if isinstance(value, float) else value


def _decimal(value: float) -> Decimal:
    """The decimal number that was stored, without the binary representation's excess digits."""
    return Decimal(f"{value:.{model.SCALE}f}" if abs(value) < _MAX_EXACT_FLOAT else f"{value:.{sys.float_info.dig}g}")


# Cached because all entries of a window have the same times.
@functools.lru_cache(maxsize=1024)
def _naive(value: datetime.datetime) -> datetime.datetime:
    if value.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return value.astimezone(datetime.UTC).replace(tzinfo=None)


@functools.lru_cache(maxsize=1024)
def _text(value: datetime.datetime) -> str:
    return _naive(value).isoformat(" ")
