# SPDX-License-Identifier: Apache-2.0
"""Translates exceptions of SQLAlchemy, oslo.db and the drivers."""

import contextlib
import sqlite3
from collections.abc import Iterator

import sqlalchemy as sa
from oslo_db import exception as db_exception

from distil import exceptions
from distil.redaction import redact

DB_EXCEPTIONS = (
    sa.exc.SQLAlchemyError,
    db_exception.DBError,
    db_exception.DBInvalidUnicodeParameter,
    # Of statements that bypass SQLAlchemy.
    sqlite3.Error,
)


@contextlib.contextmanager
def translate_errors(action: str) -> Iterator[None]:
    """Raises every exception of the database's libraries as a StoreError: ``could not ACTION: what the server said``.

    :param action: what the block does, as an infinitive.
    :raises StoreError: the block failed.
    """
    try:
        yield
    except DB_EXCEPTIONS as error:
        raise exceptions.StoreError(f"could not {action}: {driver_message(error)}") from error


def driver_message(error: BaseException) -> str:
    """The message of the server or the driver, in one line.

    Has neither statement, parameters nor connection URL, all of which the libraries' own messages may contain.
    """
    inner = getattr(error, "inner_exception", None) or error
    driver_error = getattr(inner, "orig", None) or inner
    arguments = [str(argument) for argument in driver_error.args]
    message = " ".join(" ".join(arguments).split())
    return redact(message) or type(driver_error).__name__
