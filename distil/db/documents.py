# SPDX-License-Identifier: Apache-2.0
"""Documents that receipts refer to: the rules by which a window was rated, and the names that look-ups answered."""

import datetime
import enum
import threading
from collections.abc import Collection
from collections.abc import Iterator
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa
from oslo_db import exception as db_exception

from distil import digest
from distil import exceptions
from distil.db import errors
from distil.db import queries
from distil.db.models import documents

# As many as there are projects in a large cloud: each has names of its own, which are the same for hours.
_MAX_REMEMBERED = 20_000


class DocumentKind(enum.StrEnum):
    """What a document holds."""

    RULES = "rules"
    NAMES = "names"


class Document(NamedTuple):
    """A stored document.

    :param body: JSON.
    """

    id: int
    digest: str
    kind: DocumentKind
    body: str
    created: datetime.datetime


class Documents:
    """Stores each document once. Threads may share an instance.

    Every method raises StoreError if the database fails; repeating it is safe.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._ids: dict[str, int] = {}

    def store(self, kind: DocumentKind, body: str) -> int:
        """The id of a document, which is stored in a transaction of its own if it is new.

        A document that nothing refers to in the end does no harm.
        """
        key = digest.document_digest(body)
        known = self._ids.get(key)
        if known is not None:
            return known
        with errors.translate_errors(f"store {kind}"):
            found = self._find(key)
            document_id = self._insert(kind, key, body) if found is None else found
        with self._lock:
            if len(self._ids) >= _MAX_REMEMBERED:
                del self._ids[next(iter(self._ids))]
            self._ids[key] = document_id
        return document_id

    def load(self, ids: Collection[int]) -> dict[int, Document]:
        """Documents by id.

        :raises NotFound: a document is missing, or is not as it was stored.
        """
        found: dict[int, Document] = {}
        with errors.translate_errors("read documents"), self._engine.connect() as connection:
            for batch in queries.batched(sorted(set(ids))):
                for row in connection.execute(sa.select(documents).where(documents.c.id.in_(batch))):
                    found[row.id] = _from_row(row)
        missing = sorted(set(ids) - found.keys())
        if missing:
            raise exceptions.NotFound(
                f"document {missing[0]}, by which windows were rated, is not in the database any more"
            )
        for document in found.values():
            if digest.document_digest(document.body) != document.digest:
                raise exceptions.NotFound(
                    f"document {document.id}, by which windows were rated, is not as it was stored: its digest differs"
                )
        return found

    def iterate(self, kind: DocumentKind) -> Iterator[Document]:
        """Iterates over the documents of a kind, in the order in which they were stored."""
        query = sa.select(documents).where(documents.c.kind == kind.value).order_by(documents.c.id)
        yield from map(_from_row, queries.stream(self._engine, query, "read documents"))

    def _find(self, key: str) -> int | None:
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(documents.c.id).where(documents.c.digest == key))

    def _insert(self, kind: DocumentKind, key: str, body: str) -> int:
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        row = {"digest": key, "kind": kind.value, "body": body, "created": now}
        try:
            with self._engine.begin() as connection:
                inserted: Any = connection.execute(sa.insert(documents), row).inserted_primary_key
            return int(inserted[0])
        except db_exception.DBDuplicateEntry:
            found = self._find(key)
            if found is None:
                raise
            return found


def _from_row(row: sa.Row[Any]) -> Document:
    return Document(row.id, row.digest, DocumentKind(row.kind), row.body, row.created)
