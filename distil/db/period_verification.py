# SPDX-License-Identifier: Apache-2.0
"""Verifies closed periods: whether their usage is what they were closed with."""

import enum
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from distil import digest
from distil import model
from distil.db import closed_usage
from distil.db import errors
from distil.db.closed_usage import DigestedUsage
from distil.db.manifest import Manifest
from distil.db.manifest import ProjectUsage
from distil.db.models import receipts
from distil.db.models import tenants
from distil.db.periods import StoredPeriod

_MAX_NAMED_WINDOWS = 5


class Result(enum.StrEnum):
    """What the verification of a period has found of it or of a project."""

    EQUAL = "equal"
    CHANGED = "changed"
    LATE = "committed after the close"
    PRUNED = "pruned"

    @property
    def has_failed(self) -> bool:
        return self is Result.CHANGED


class Verified(NamedTuple):
    """A finding.

    :param project_id: None: of the period itself.
    """

    period: str
    project_id: str | None
    project: str | None
    result: Result
    detail: str


def verify_chain(stored: Sequence[StoredPeriod]) -> Iterator[Verified]:
    """Verify the manifests of periods, and that each has the digest of the one before.

    :param stored: all periods up to some time, in order.
    """
    previous: StoredPeriod | None = None
    for period in stored:
        problem = _manifest_problem(period, previous)
        if problem:
            yield Verified(period.name, None, None, Result.CHANGED, problem)
        previous = period


def _manifest_problem(period: StoredPeriod, previous: StoredPeriod | None) -> str | None:
    if period.closed is None:
        return f"the period is not closed yet: run period close {period.name} again"
    try:
        manifest = Manifest.parse(period.manifest or "")
    except ValueError as error:
        return f"the manifest cannot be read, so it was changed by hand: {error}"
    if digest.document_digest(period.manifest or "") != period.digest:
        return "the manifest is not the one that its digest was made of: one of them was changed by hand"
    row = period.name, period.window, period.closed_by
    if row != (manifest.name, manifest.window, manifest.closed_by):
        return "name, start, end or closed_by of the row of periods differ from the manifest: changed by hand"
    before = (previous.name, previous.digest) if previous else (None, None)
    if before != (manifest.previous, manifest.previous_digest):
        return (
            f"it was closed after period {manifest.previous} with digest {manifest.previous_digest}; the period before"
            f" it is {before[0]} with digest {before[1]}: a row of periods was changed, added or deleted by hand"
        )
    return None


class UsageVerification:
    """Verifies the usage of one closed period, whose manifest has been verified.

    :param project_ids: of which projects; all of them if empty.
    """

    def __init__(self, engine: sa.Engine, period: StoredPeriod, project_ids: Collection[str] = ()) -> None:
        self._engine = engine
        self._period = period
        manifest = Manifest.parse(period.manifest or "")
        self._closed = {project.id: project for project in manifest.projects}
        self._chosen = set(project_ids)

    def run(self, on_project: Callable[[], None] = lambda: None) -> Iterator[Verified]:
        """Verify the projects, and yield what is worth telling of each.

        :param on_project: called after each project.
        :raises StoreError: the database failed.
        """
        names = self.projects()
        for project_id in sorted(names):
            action = f"verify period {self._period.name} of project {project_id}"
            with errors.translate_errors(action), self._engine.connect() as connection:
                usage = closed_usage.read(connection, project_id, self._period.name, self._period.window)
                yield from self._compare(connection, project_id, names[project_id], usage)
            on_project()

    def projects(self) -> Mapping[str, str]:
        """The names of the chosen projects, stored and in the manifest, by id.

        :raises StoreError: the database failed.
        """
        with errors.translate_errors("read projects"), self._engine.connect() as connection:
            stored = {row.id: row.name for row in connection.execute(sa.select(tenants.c.id, tenants.c.name))}
        names = {project.id: project.name for project in self._closed.values()} | stored
        return {key: name for key, name in names.items() if not self._chosen or key in self._chosen}

    def _compare(
        self, connection: sa.Connection, project_id: str, name: str, usage: DigestedUsage
    ) -> Iterator[Verified]:
        closed = self._closed.get(project_id)
        if (usage.windows or closed) and (closed is None or usage.digest != closed.digest):
            stored = self._receipts(connection, project_id)
            # usage prune deletes the receipts as well.
            if self._period.pruned and not (usage.windows or stored):
                detail = f"its usage was deleted by usage prune at {self._period.pruned:%Y-%m-%dT%H:%M:%SZ}"
                yield Verified(self._period.name, project_id, name, Result.PRUNED, detail)
            else:
                detail = _describe_change(closed, usage, stored)
                yield Verified(self._period.name, project_id, name, Result.CHANGED, detail)
        if usage.late:
            detail = f"{_list_windows(usage.late)}: not part of the closed period; bill {_them(usage.late)} separately"
            yield Verified(self._period.name, project_id, name, Result.LATE, detail)

    def _receipts(self, connection: sa.Connection, project_id: str) -> Mapping[model.Window, str]:
        """The digests of usage by window, for the windows that have a receipt."""
        columns, window = receipts.c, self._period.window
        query = sa.select(columns.start, columns.end, columns.usage_digest).where(
            columns.tenant_id == project_id,
            columns.start >= window.start,
            columns.start < window.end,
            sa.or_(columns.closed_period.is_(None), columns.closed_period != self._period.name),
        )
        return {model.Window(row.start, row.end): row.usage_digest for row in connection.execute(query)}


def _describe_change(
    closed: ProjectUsage | None, usage: DigestedUsage, receipt_digests: Mapping[model.Window, str]
) -> str:
    was = f"{closed.entries} entries in {closed.windows} windows" if closed else "no usage"
    text = f"closed with {was}, and has {usage.entries} entries in {len(usage.windows)} windows now: changed by hand"
    empty = digest.usage_digest([])
    found = {window.window: window.digest for window in usage.windows}
    differing = [
        window
        for window in sorted(found.keys() | receipt_digests.keys())
        if window in receipt_digests and found.get(window, empty) != receipt_digests[window]
    ]
    return f"{text}; windows that differ from their receipts: {_list_windows(differing)}" if differing else text


def _list_windows(windows: Sequence[model.Window]) -> str:
    named = ", ".join(map(str, windows[:_MAX_NAMED_WINDOWS]))
    more = len(windows) - _MAX_NAMED_WINDOWS
    return f"{named} and {more} more" if more > 0 else named


def _them(windows: Sequence[object]) -> str:
    return "it" if len(windows) == 1 else "them"
