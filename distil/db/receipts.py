# SPDX-License-Identifier: Apache-2.0
"""Receipts of windows, as they are stored."""

import dataclasses
import datetime
import json
from collections.abc import Collection
from collections.abc import Iterator
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.db import errors
from distil.db import queries
from distil.db import types
from distil.db.models import periods
from distil.db.models import receipt_history
from distil.db.models import receipts

_COUNTS = ("samples", "used", "untrusted", "duplicates", "rejected", "entries")
_DIGESTS = ("samples_digest", "usage_digest")

# Reads the period after the project's row is locked: a period that is closed meanwhile waits for that lock, and finds
# the window either stored or, as here, knows that it is not.
_CLOSED_PERIOD = (
    sa.select(periods.c.name)
    .where(
        periods.c.start <= sa.bindparam("window_start", type_=types.UTCDateTime),
        periods.c.end > sa.bindparam("window_start", type_=types.UTCDateTime),
    )
    .limit(1)
    .scalar_subquery()
)
# That after the last one that a window had before project start had it collected again.
_REVISION = sa.func.coalesce(
    sa.select(sa.func.max(receipt_history.c.revision) + 1)
    .where(
        receipt_history.c.tenant_id == sa.bindparam("new_tenant_id", type_=receipts.c.tenant_id.type),
        receipt_history.c.start == sa.bindparam("window_start", type_=types.UTCDateTime),
    )
    .scalar_subquery(),
    sa.bindparam("new_revision", type_=sa.Integer),
)
# Compiling the statement takes as long as the server takes to execute it, so it is made once.
_INSERT = sa.insert(receipts).values(
    {
        **{column.name: sa.bindparam(f"new_{column.name}", type_=column.type) for column in receipts.c},
        "revision": _REVISION,
        "closed_period": _CLOSED_PERIOD,
    }
)


class NewReceipt(NamedTuple):
    """What a collector knows of a window when it commits it.

    :param contents: what went in and came out.
    :param rules: id of the document of the rules.
    :param names: id of the document of the names.
    :param suspect: why the window should be looked at again; None: there is no reason.
    """

    contents: model.Receipt
    rules: int
    names: int
    suspect: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StoredReceipt:
    """The receipt of a committed window.

    :param revision: 0, plus 1 for each time that the window's usage was changed since.
    :param rules: id of the document of the rules.
    :param names: id of the document of the names.
    :param telemetry: name of the driver and region of its service, as in ``ceilometer/RegionOne``; None: not known.
    :param closed_period: name of the period that was closed already when the window was committed.
    """

    project_id: str
    window: model.Window
    revision: int
    contents: model.Receipt
    rules: int
    names: int
    telemetry: str | None
    collector: str | None
    suspect: str | None
    closed_period: str | None
    committed: datetime.datetime


@dataclasses.dataclass(frozen=True)
class ReceiptFilter:
    """Selects receipts by project and by the period [start, end) in which their window begins.

    An empty field selects all.
    """

    projects: Collection[str] = ()
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        return queries.filter_conditions(
            [(receipts.c.tenant_id, self.projects)], receipts.c.start, self.start, self.end
        )


def insert(
    connection: sa.Connection,
    project_id: str,
    window: model.Window,
    receipt: NewReceipt,
    collector: model.CollectedBy | None,
    now: datetime.datetime,
    revision: int = 0,
) -> None:
    """Inserts the receipt of a window that is being committed.

    The transaction has locked the project's row. A period that the window begins in, and that is closed already, is
    noted.

    :param revision: of the first receipt: 1 if the window was stored without one, and is changed.
    """
    row = {
        "tenant_id": project_id,
        "start": window.start,
        "end": window.end,
        "revision": revision,
        **content_values(receipt.contents),
        "rules": receipt.rules,
        "names": receipt.names,
        "telemetry": collector and collector.telemetry,
        "collector": collector and collector.collector,
        "suspect": receipt.suspect,
        "committed": now,
    }
    parameters = {f"new_{name}": value for name, value in row.items()}
    connection.execute(_INSERT, {**parameters, "window_start": window.start})


def content_values(contents: model.Receipt) -> dict[str, Any]:
    """The values of a receipt's columns that say what went in and came out."""
    values: dict[str, Any] = {name: getattr(contents, name) for name in (*_COUNTS, *_DIGESTS)}
    meters = {name: list(count) for name, count in contents.meters.items()}
    return {**values, "meters": json.dumps(meters, separators=(",", ":"))}


def get(engine: sa.Engine, project_id: str, start: datetime.datetime) -> StoredReceipt | None:
    """The receipt of the window that begins at a time; None if there is none.

    :raises StoreError: the database failed.
    """
    query = sa.select(receipts).where(receipts.c.tenant_id == project_id, receipts.c.start == start)
    with errors.translate_errors(f"read a receipt of project {project_id}"), engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else from_row(row)


def iterate(engine: sa.Engine, receipt_filter: ReceiptFilter, limit: int | None = None) -> Iterator[StoredReceipt]:
    """Iterates over receipts, by project and start.

    :raises StoreError: the database failed.
    """
    query = sa.select(receipts).where(*receipt_filter.conditions())
    query = query.order_by(receipts.c.tenant_id, receipts.c.start).limit(limit)
    yield from map(from_row, queries.stream(engine, query, "read receipts"))


def from_row(row: sa.Row[Any]) -> StoredReceipt:
    """The receipt in a row of the table.

    :raises StoreError: its meters are not as they were stored.
    """
    values = row._mapping  # noqa: SLF001 - the name is public
    try:
        meters = {name: model.MeterCount(*count) for name, count in json.loads(row.meters).items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        window = model.Window(row.start, row.end)
        raise exceptions.StoreError(
            f"the receipt of project {row.tenant_id}, window {window}, is not as it was stored: meters: {error}"
        ) from error
    return StoredReceipt(
        project_id=row.tenant_id,
        window=model.Window(row.start, row.end),
        revision=row.revision,
        contents=model.Receipt(**{name: values[name] for name in (*_COUNTS, *_DIGESTS)}, meters=meters),
        rules=row.rules,
        names=row.names,
        telemetry=row.telemetry,
        collector=row.collector,
        suspect=row.suspect,
        closed_period=row.closed_period,
        committed=row.committed,
    )
