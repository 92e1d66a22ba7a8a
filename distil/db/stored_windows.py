# SPDX-License-Identifier: Apache-2.0
"""Collected windows as they are stored: their usage and their receipt."""

from collections import defaultdict
from collections.abc import Collection
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.db import errors
from distil.db import periods
from distil.db import queries
from distil.db import receipts
from distil.db.models import receipts as receipt_table
from distil.db.models import tenants
from distil.db.models import usage_entry
from distil.db.receipts import StoredReceipt

# A window of a project has some hundred usage entries.
_PROJECTS_PER_QUERY = 100


class StoredWindow(NamedTuple):
    """What is stored of a window of a project.

    :param usage: by resource and service.
    :param receipt: None if the window is unrecorded.
    """

    project_id: str
    window: model.Window
    usage: Sequence[model.Usage]
    receipt: StoredReceipt | None

    @property
    def revision(self) -> int:
        """Of the receipt; 0 if the window is unrecorded."""
        return self.receipt.revision if self.receipt else 0

    def has_same(self, other: "StoredWindow") -> bool:
        """Whether nobody has changed the window from one reading to the other."""
        own, others = (window.receipt and window.receipt.revision for window in (self, other))
        return own == others and set(self.usage) == set(other.usage)


def read(engine: sa.Engine, project_ids: Collection[str], window: model.Window) -> dict[str, StoredWindow]:
    """A window of several projects, by project id.

    :raises StoreError: the database failed.
    """
    found: dict[str, StoredWindow] = {}
    with errors.translate_errors(f"read usage of window {window}"), engine.connect() as connection:
        for batch in queries.batched(sorted(project_ids), _PROJECTS_PER_QUERY):
            found |= _read(connection, batch, window)
    return found


def read_in(connection: sa.Connection, project_id: str, window: model.Window) -> StoredWindow:
    """A window of one project, in the caller's transaction."""
    return _read(connection, [project_id], window)[project_id]


def require_changeable(engine: sa.Engine, project_id: str, window: model.Window) -> None:
    """Checks that a window has been collected, and begins in no closed period.

    :raises Refused: it has not, or it does.
    :raises StoreError: the database failed.
    """
    query = sa.select(tenants.c.id).where(tenants.c.id == project_id, tenants.c.last_collected >= window.end)
    with errors.translate_errors(f"read the state of project {project_id}"), engine.connect() as connection:
        if connection.scalar(query) is None:
            raise exceptions.Refused("the window has not been collected; a collector may still collect it")
        periods.require_open(connection, window.start)


def in_window(columns: Any, project_id: str, window: model.Window) -> tuple[sa.ColumnElement[bool], ...]:
    """Conditions for the rows of one window of one project."""
    return columns.tenant_id == project_id, columns.start == window.start, columns.end == window.end


def _read(connection: sa.Connection, project_ids: Sequence[str], window: model.Window) -> dict[str, StoredWindow]:
    columns = usage_entry.c
    fields = columns.service, columns.resource_id, columns.unit, columns.volume
    query = sa.select(columns.tenant_id, *fields).where(*_of_projects(columns, project_ids, window))
    usage: dict[str, list[model.Usage]] = defaultdict(list)
    for project_id, *values in connection.execute(query.order_by(columns.resource_id, columns.service)):
        usage[project_id].append(model.Usage(*values))
    receipt_query = sa.select(receipt_table).where(*_of_projects(receipt_table.c, project_ids, window))
    rows: sa.CursorResult[Any] = connection.execute(receipt_query)
    stored = {row.tenant_id: receipts.from_row(row) for row in rows}
    return {
        project_id: StoredWindow(project_id, window, tuple(usage[project_id]), stored.get(project_id))
        for project_id in project_ids
    }


def _of_projects(columns: Any, project_ids: Sequence[str], window: model.Window) -> tuple[sa.ColumnElement[bool], ...]:
    return columns.tenant_id.in_(project_ids), columns.start == window.start, columns.end == window.end
