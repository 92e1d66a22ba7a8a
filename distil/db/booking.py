# SPDX-License-Identifier: Apache-2.0
"""The transactions that change a collected window. Nothing else changes its usage.

Each begins with the lock of the project's row, so that it waits for every other transaction that stores something of
the project, and sees what those have stored. Then it compares the window with what the change was computed from.
Whatever is replaced is kept, with the revision that had it, the reason, and who changed it.
"""

import abc
import datetime
from collections.abc import Collection
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa

from distil import digest
from distil import exceptions
from distil import model
from distil.db import errors
from distil.db import inserts
from distil.db import periods
from distil.db import queries
from distil.db import receipt_history
from distil.db import receipts
from distil.db import stored_windows
from distil.db import transaction
from distil.db.models import late_windows
from distil.db.models import receipt_history as history_table
from distil.db.models import receipts as receipt_table
from distil.db.models import rejected_samples
from distil.db.models import usage_entry
from distil.db.models import usage_history
from distil.db.project_lock import lock_collected
from distil.db.receipt_history import Change
from distil.db.receipts import NewReceipt
from distil.db.stored_windows import StoredWindow


class NewContents(NamedTuple):
    """What a window is to have instead of what is stored.

    :param asked: when the samples were asked for: the window was late before.
    """

    usage: Sequence[model.Usage]
    resources: Sequence[model.Resource]
    rejected: Sequence[model.RejectedSample]
    receipt: NewReceipt
    collector: model.CollectedBy
    asked: datetime.datetime


class _Booking(abc.ABC):
    """Changes a collected window, in one transaction.

    Stored resource info is newer than the window and keeps its values; only missing keys are added.

    :param before: the window as it was when the change was computed.
    :param usage: all that the window is to have.
    :param samples_digest: that the receipt is to have.
    """

    def __init__(
        self, engine: sa.Engine, before: StoredWindow, change: Change, usage: Sequence[model.Usage], samples_digest: str
    ) -> None:
        self._engine = engine
        self._before = before
        self._change = change
        self._usage = usage
        self._samples_digest = samples_digest
        self._is_window = sa.and_(
            receipt_table.c.tenant_id == before.project_id, receipt_table.c.start == before.window.start
        )

    def commit(self) -> None:
        """Commit the change. A transaction that conflicts with another is repeated.

        :raises WindowChanged: somebody has changed the window since it was read. Nothing was stored.
        :raises Refused: the window has not been collected, or is in a closed period. Nothing was stored.
        :raises StoreError: the database failed. Nothing was stored.
        """
        with errors.translate_errors(f"change window {self._before.window} of project {self._before.project_id}"):
            transaction.conflict_retrying()(self._commit)

    def _commit(self) -> None:
        project_id, window = self._before.project_id, self._before.window
        with transaction.verified_commit(self._engine, self._is_committed) as connection:
            if not lock_collected(connection, project_id, window.end):
                raise exceptions.Refused("the window has not been collected; a collector may still collect it")
            periods.require_open(connection, window.start)
            if not stored_windows.read_in(connection, project_id, window).has_same(self._before):
                raise exceptions.WindowChanged("another process has changed the window meanwhile")
            self._book(connection, datetime.datetime.now(datetime.UTC).replace(microsecond=0))

    @abc.abstractmethod
    def _book(self, connection: sa.Connection, now: datetime.datetime) -> None:
        """Store the change. The row of the project is locked, and the window is as it was read."""

    def _is_committed(self, connection: sa.Connection) -> bool:
        """Whether the revision after the one that was read has the contents that were to be stored."""
        lock_collected(connection, self._before.project_id, self._before.window.end)
        new = self._samples_digest, digest.usage_digest(self._usage)
        for columns in (receipt_table.c, history_table.c):
            query = sa.select(columns.samples_digest, columns.usage_digest).where(
                columns.tenant_id == self._before.project_id,
                columns.start == self._before.window.start,
                columns.revision == self._before.revision + 1,
            )
            stored = connection.execute(query).one_or_none()
            if stored is not None:
                return tuple(stored) == new
        return False

    def _replace_usage(self, connection: sa.Connection, now: datetime.datetime) -> None:
        """Replace the entries that differ; rows of the others stay as they are."""
        old = {(entry.service, entry.resource_id): entry for entry in self._before.usage}
        new = {(entry.service, entry.resource_id): entry for entry in self._usage}
        replaced = sorted(key for key, entry in old.items() if new.get(key) != entry)
        for keys in queries.batched(replaced):
            self._move_to_history(connection, keys, now)
        changed = [entry for key, entry in new.items() if old.get(key) != entry]
        inserts.insert_usage(connection, self._before.project_id, self._before.window, changed, now)

    def _move_to_history(
        self, connection: sa.Connection, keys: Collection[tuple[str, str]], now: datetime.datetime
    ) -> None:
        columns = usage_entry.c
        condition = sa.and_(
            *stored_windows.in_window(columns, self._before.project_id, self._before.window),
            sa.tuple_(columns.service, columns.resource_id).in_(keys),
        )
        values = {"revision": self._before.revision, **self._change.values(now)}
        constants = [sa.literal(value, usage_history.c[name].type).label(name) for name, value in values.items()]
        names = [*(column.name for column in columns), *values]
        query = sa.select(*columns, *constants).where(condition)
        connection.execute(sa.insert(usage_history).from_select(names, query))
        if connection.execute(sa.delete(usage_entry).where(condition)).rowcount != len(keys):
            raise exceptions.WindowChanged("another process has deleted usage of the window meanwhile")

    def _replace_receipt(self, connection: sa.Connection, values: dict[str, Any], now: datetime.datetime) -> None:
        """Keep the receipt as it was, and give it the next revision."""
        is_unchanged = sa.and_(self._is_window, receipt_table.c.revision == self._before.revision)
        receipt_history.keep(connection, is_unchanged, self._change, now)
        update = sa.update(receipt_table).where(is_unchanged)
        updated = connection.execute(update.values(revision=receipt_table.c.revision + 1, committed=now, **values))
        if updated.rowcount != 1:
            raise exceptions.WindowChanged("another process has changed the receipt meanwhile")


class Recollection(_Booking):
    """Gives a window the contents that it has by the samples of now.

    An unrecorded window gets a receipt of revision 1; what is replaced was of revision 0.
    """

    def __init__(self, engine: sa.Engine, before: StoredWindow, change: Change, contents: NewContents) -> None:
        super().__init__(engine, before, change, contents.usage, contents.receipt.contents.samples_digest)
        self._contents = contents

    def _book(self, connection: sa.Connection, now: datetime.datetime) -> None:
        project_id, window, contents = self._before.project_id, self._before.window, self._contents
        inserts.add_resource_info(connection, project_id, contents.resources, now)
        self._replace_usage(connection, now)
        condition = stored_windows.in_window(rejected_samples.c, project_id, window)
        connection.execute(sa.delete(rejected_samples).where(*condition))
        inserts.insert_rejected(connection, project_id, window, contents.rejected, now)
        receipt = contents.receipt
        if self._before.receipt is None:
            receipts.insert(connection, project_id, window, receipt, contents.collector, now, revision=1)
        else:
            values = receipts.content_values(receipt.contents) | {
                "rules": receipt.rules,
                "names": receipt.names,
                "telemetry": contents.collector.telemetry,
                "collector": contents.collector.collector,
                "suspect": receipt.suspect,
            }
            self._replace_receipt(connection, values, now)
        connection.execute(sa.delete(late_windows).where(_is_late(project_id, window, contents.asked)))


class RejectedSamplesBilling(_Booking):
    """Adds usage of rejected samples to a window, and deletes these samples.

    An unrecorded window stays unrecorded.

    :param usage: at least one entry, none of which is stored.
    :param sample_ids: of the rejected samples.
    :param used: number of samples among them, each counted once.
    """

    def __init__(
        self,
        engine: sa.Engine,
        before: StoredWindow,
        change: Change,
        usage: Sequence[model.Usage],
        resources: Sequence[model.Resource],
        sample_ids: Collection[int],
        used: int,
    ) -> None:
        samples_digest = before.receipt.contents.samples_digest if before.receipt else ""
        super().__init__(engine, before, change, [*before.usage, *usage], samples_digest)
        self._added = usage
        self._resources = resources
        self._sample_ids = sample_ids
        self._used = used

    def _book(self, connection: sa.Connection, now: datetime.datetime) -> None:
        project_id, window = self._before.project_id, self._before.window
        self._delete_samples(connection)
        inserts.add_resource_info(connection, project_id, self._resources, now)
        self._replace_usage(connection, now)
        if self._before.receipt is None:
            return
        contents = self._before.receipt.contents
        rejected = sa.select(sa.func.count()).select_from(rejected_samples)
        rejected = rejected.where(*stored_windows.in_window(rejected_samples.c, project_id, window))
        values = {
            "rejected": connection.scalar(rejected),
            # A sample that another meter mapping had used counts once.
            "used": min(contents.used + self._used, contents.samples - contents.untrusted - contents.duplicates),
            "entries": len(self._usage),
            "usage_digest": digest.usage_digest(self._usage),
        }
        self._replace_receipt(connection, values, now)

    def _is_committed(self, connection: sa.Connection) -> bool:
        if self._before.receipt is not None:
            return super()._is_committed(connection)
        lock_collected(connection, self._before.project_id, self._before.window.end)
        stored = stored_windows.read_in(connection, self._before.project_id, self._before.window).usage
        return set(self._added) <= set(stored)

    def _delete_samples(self, connection: sa.Connection) -> None:
        deleted = 0
        for batch in queries.batched(sorted(self._sample_ids)):
            deleted += connection.execute(sa.delete(rejected_samples).where(rejected_samples.c.id.in_(batch))).rowcount
        if deleted != len(self._sample_ids):
            raise exceptions.ReprocessingRefused("another process has billed or deleted it meanwhile")


def settle(engine: sa.Engine, project_id: str, window: model.Window, asked: datetime.datetime) -> None:
    """Deletes the mark of a late window whose usage and samples are as they are stored.

    :param asked: when the samples were asked for: a mark that was set later stays.
    :raises StoreError: the database failed.
    """
    with errors.translate_errors(f"delete the mark of late window {window}"):
        with engine.connect() as connection:
            is_late = connection.scalar(sa.select(late_windows.c.start).where(_is_late(project_id, window, asked)))
        if is_late:
            transaction.conflict_retrying()(_delete_late, engine, project_id, window, asked)


def _delete_late(engine: sa.Engine, project_id: str, window: model.Window, asked: datetime.datetime) -> None:
    with engine.begin() as connection:
        connection.execute(sa.delete(late_windows).where(_is_late(project_id, window, asked)))


def _is_late(project_id: str, window: model.Window, asked: datetime.datetime) -> sa.ColumnElement[bool]:
    columns = late_windows.c
    return sa.and_(columns.tenant_id == project_id, columns.start == window.start, columns.checked <= asked)
