# SPDX-License-Identifier: Apache-2.0
"""Answers of any length, which are read while they are used and never held whole."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from distil.db import errors

_ROWS = 2_000

# Seconds that a server waits for a reader who pauses, as one does who pages. MariaDB's own patience is a minute.
_PATIENCE = 24 * 3600


def stream(engine: sa.Engine, query: sa.Select[Any], action: str) -> Iterator[sa.Row[Any]]:
    """The rows of a query, over a connection of its own.

    :param action: what fails if the query does, for the message.
    :raises StoreError: the database failed.
    """
    with errors.translate_errors(action), engine.connect() as connection:
        if engine.dialect.name == "mysql":
            connection.execute(sa.text(f"SET SESSION net_write_timeout = {_PATIENCE}"))
        try:
            yield from connection.execution_options(yield_per=_ROWS).execute(query)
        except GeneratorExit:
            if engine.dialect.name == "mysql":
                # PyMySQL would read all that is left before it closes the cursor.
                connection.invalidate()
            raise
