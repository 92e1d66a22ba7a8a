# SPDX-License-Identifier: Apache-2.0
"""What SQLAlchemy, oslo.db and the drivers raise comes out as ours."""

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa
from oslo_db import exception as db_exception

from distil import exceptions

DB_EXCEPTIONS = (sa.exc.SQLAlchemyError, db_exception.DBError, db_exception.DBInvalidUnicodeParameter)


@contextlib.contextmanager
def translate_errors(action: str) -> Iterator[None]:
    """:param action: what fails if the block does, for the message.
    :raises StoreError: for everything that the database's libraries raise.
    """
    try:
        yield
    except DB_EXCEPTIONS as error:
        raise exceptions.StoreError(f"{action}: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """What the server or the driver said, in one line.

    Neither statement, parameters nor connection URL, which the libraries' own texts may hold.
    """
    inner = getattr(error, "inner_exception", None) or error
    driver_error = getattr(inner, "orig", None) or inner
    arguments = [str(argument) for argument in driver_error.args]
    text = " ".join(" ".join(arguments).split())
    return text or type(driver_error).__name__
