# SPDX-License-Identifier: Apache-2.0
"""Why collected windows were changed."""

import datetime
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from distil.db import errors
from distil.db.models import receipt_history
from distil.db.models import usage_history


class Revision(NamedTuple):
    """A change of a window's usage.

    :param revision: the one that was replaced.
    """

    revision: int
    reason: str
    changed_by: str
    changed: datetime.datetime


def read(engine: sa.Engine, project_id: str, start: datetime.datetime) -> Sequence[Revision]:
    """The changes of the window that begins at a time, oldest first, also of one without a receipt.

    :raises StoreError: the database failed.
    """
    changes: set[Revision] = set()
    with errors.translate_errors(f"read the history of project {project_id}"), engine.connect() as connection:
        for table in (receipt_history, usage_history):
            query = sa.select(*(table.c[name] for name in Revision._fields)).distinct()
            rows = connection.execute(query.where(table.c.tenant_id == project_id, table.c.start == start))
            changes |= set(map(Revision._make, rows))
    return sorted(changes, key=lambda change: (change.changed, change.revision))
