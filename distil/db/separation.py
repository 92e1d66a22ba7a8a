# SPDX-License-Identifier: Apache-2.0
"""Stores rows together, or one by one if one of them cannot be stored."""

from collections.abc import Callable
from collections.abc import Mapping
from typing import TypeVar

import sqlalchemy as sa
from oslo_db import exception as db_exception

from distil import exceptions
from distil.db import errors

T = TypeVar("T")

_ROW_ERRORS = (
    sa.exc.DataError,
    sa.exc.IntegrityError,
    db_exception.DBConstraintError,
    db_exception.DBDataError,
    db_exception.DBDuplicateEntry,
    db_exception.DBInvalidUnicodeParameter,
    db_exception.DBReferenceError,
)


def store_separately(
    action: str, store: Callable[[Mapping[str, T]], None], rows: Mapping[str, T]
) -> dict[str, exceptions.StoreError]:
    """Stores rows in one transaction, or each in its own if one of them cannot be stored.

    :param action: what storing a row is, as an infinitive without its key.
    :param store: stores all of the rows, or none.
    :returns: by key, why rows are not stored; the others are.
    :raises StoreError: the database failed, whatever the rows.
    """
    failed: dict[str, exceptions.StoreError] = {}
    with errors.translate_errors(f"{action}s"):
        try:
            store(rows)
        except errors.DB_EXCEPTIONS as error:
            if not _concerns_row(error):
                raise
        else:
            return failed
    for key, row in rows.items():
        try:
            with errors.translate_errors(f"{action} {key}"):
                store({key: row})
        except exceptions.StoreError as error:
            if not _concerns_row(error.__cause__):
                raise
            failed[key] = error
    return failed


def _concerns_row(error: BaseException | None) -> bool:
    """Whether the values of a row, and not the state of the database, are the cause."""
    return isinstance(error, _ROW_ERRORS) or isinstance(getattr(error, "inner_exception", None), _ROW_ERRORS)
