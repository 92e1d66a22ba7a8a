# SPDX-License-Identifier: Apache-2.0
"""Closes a period: from then on, its usage is never changed, and a digest proves what it was.

First the period's row is committed, then the projects are digested, each in a transaction that locks the project's row.
A collector's transaction locks the same row first and reads the periods afterwards, and so does everything that changes
a collected window. Whichever has the lock first: the window is digested, or it is marked as committed after the close.
"""

import datetime
import decimal
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.db import closed_usage
from distil.db import errors
from distil.db import periods
from distil.db import queries
from distil.db import transaction
from distil.db.closed_usage import DigestedUsage
from distil.db.manifest import Manifest
from distil.db.manifest import ProjectUsage
from distil.db.manifest import ServiceSum
from distil.db.models import documents
from distil.db.models import periods as period_table
from distil.db.models import receipts
from distil.db.models import tenants
from distil.db.periods import StoredPeriod
from distil.db.project_lock import lock


class PeriodClosing:
    """The closing of one period. If it is interrupted, it goes on when it is repeated.

    :param closed_by: who closes it.
    :param exceptions_by_project: by project id, why the period is closed although the project is not complete.
    """

    def __init__(
        self,
        engine: sa.Engine,
        name: str,
        window: model.Window,
        closed_by: str,
        exceptions_by_project: Mapping[str, str],
    ) -> None:
        self._engine = engine
        self._name = name
        self._window = window
        self._closed_by = closed_by
        self._exceptions = exceptions_by_project

    def require_possible(self) -> bool:
        """Checks that the period can be closed, before anything is stored.

        :returns: whether the period is open: if not, it is being closed, and that goes on.

        :raises Refused: it is closed already, overlaps another or leaves a gap after the previous one, or the database
            cannot store volumes exactly.
        :raises StoreError: the database failed.
        """
        if self._engine.dialect.name == "sqlite":
            raise exceptions.Refused(
                "SQLite rounds volumes to 15 digits, so no digest could prove them: use MariaDB, MySQL or PostgreSQL"
            )
        with errors.translate_errors("read closed periods"), self._engine.connect() as connection:
            self._previous(connection)
            is_named = period_table.c.name == self._name
            return connection.scalar(sa.select(period_table.c.name).where(is_named)) is None

    def run(self, on_project: Callable[[], None] = lambda: None) -> StoredPeriod:
        """Close the period.

        :param on_project: called after each project.
        :raises Refused: see :meth:`require_possible`; or another process has closed it meanwhile.
        :raises StoreError: the database failed. The period is being closed, and its usage is not changed.
        """
        self.require_possible()
        with errors.translate_errors(f"close period {self._name}"):
            transaction.conflict_retrying()(self._begin)
            projects, sums = self._digest_projects(on_project)
            manifest = self._manifest(projects, sums)
            transaction.conflict_retrying()(self._finish, manifest)
            (stored,) = periods.list_periods(self._engine, self._window.start, self._window.end)
        return stored

    @property
    def project_ids(self) -> Sequence[str]:
        """The ids of all projects.

        :raises StoreError: the database failed.
        """
        with errors.translate_errors("read projects"), self._engine.connect() as connection:
            return connection.scalars(sa.select(tenants.c.id).order_by(tenants.c.id)).all()

    def _begin(self) -> None:
        """Store that the period is being closed: from now on, nothing in it is changed."""
        with self._engine.begin() as connection:
            previous = self._previous(connection)
            row = {
                "name": self._name,
                "start": self._window.start,
                "end": self._window.end,
                "closing": _now(),
                "closed_by": self._closed_by,
                "previous": previous.name if previous else "",
            }
            if connection.scalar(sa.select(period_table.c.name).where(period_table.c.name == self._name)) is None:
                connection.execute(sa.insert(period_table), row)

    def _previous(self, connection: sa.Connection) -> StoredPeriod | None:
        """The period closed before this one.

        :raises Refused: this one cannot follow it.
        """
        previous: StoredPeriod | None = None
        for period in periods.read_periods(connection):
            if period.name == self._name:
                self._require_continuation(period)
            elif period.window.start < self._window.end and period.window.end > self._window.start:
                raise exceptions.Refused(f"period {self._name} overlaps period {period.name} {period.window}")
            elif period.closed is None:
                raise exceptions.Refused(f"period {period.name} is being closed: run period close {period.name} first")
            elif period.window.start > self._window.start:
                raise exceptions.Refused(f"period {period.name}, which is later, is closed already: close in order")
            else:
                previous = period
        if previous and previous.window.end != self._window.start:
            raise exceptions.Refused(
                f"period {previous.name} ends at {previous.window.end:%Y-%m-%dT%H:%M:%SZ}: the next has to begin then"
            )
        return previous

    def _require_continuation(self, stored: StoredPeriod) -> None:
        if stored.closed is not None:
            closed = f"{stored.closed:%Y-%m-%dT%H:%M:%SZ}"
            raise exceptions.Refused(f"period {stored.name} is closed since {closed}; it cannot be closed again")
        if stored.window != self._window:
            raise exceptions.Refused(f"period {stored.name} is being closed as {stored.window}, not as {self._window}")

    def _digest_projects(
        self, on_project: Callable[[], None]
    ) -> tuple[Sequence[ProjectUsage], Mapping[tuple[str, str], Decimal]]:
        found: list[ProjectUsage] = []
        sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        retrying = transaction.conflict_retrying()
        for project_id in self.project_ids:
            name, usage = retrying(self._digest_project, project_id)
            if usage.windows:
                found.append(ProjectUsage(project_id, name, len(usage.windows), usage.entries, usage.digest))
            with decimal.localcontext(closed_usage.EXACT):
                for key, volume in usage.sums.items():
                    sums[key] += volume
            on_project()
        return found, sums

    def _digest_project(self, project_id: str) -> tuple[str, DigestedUsage]:
        with self._engine.begin() as connection:
            lock(connection, project_id)
            name = connection.scalar(sa.select(tenants.c.name).where(tenants.c.id == project_id))
            return name or "", closed_usage.read(connection, project_id, self._name, self._window)

    def _manifest(self, projects: Sequence[ProjectUsage], sums: Mapping[tuple[str, str], Decimal]) -> Manifest:
        with self._engine.connect() as connection:
            previous = self._previous(connection)
            rules = dict(_rules(connection, self._window))
        return Manifest(
            name=self._name,
            window=self._window,
            previous=previous and previous.name,
            previous_digest=previous and previous.digest,
            projects=projects,
            sums=[ServiceSum(*key, volume) for key, volume in sorted(sums.items())],
            rules=rules,
            exceptions=self._exceptions,
            closed_by=self._closed_by,
        )

    def _finish(self, manifest: Manifest) -> None:
        values = {
            "closed": _now(),
            "closed_by": self._closed_by,
            "digest": manifest.digest,
            "manifest": manifest.dump(),
        }
        is_closing = period_table.c.name == self._name, period_table.c.closed.is_(None)
        with self._engine.begin() as connection:
            if connection.execute(sa.update(period_table).where(*is_closing).values(values)).rowcount != 1:
                raise exceptions.Refused(f"another process has closed period {self._name} meanwhile")


def _rules(connection: sa.Connection, window: model.Window) -> Iterable[tuple[str, int]]:
    """The number of windows by the digest of their rules."""
    in_period = queries.filter_conditions([], receipts.c.start, window.start, window.end)
    counted = sa.select(receipts.c.rules, sa.func.count().label("windows")).where(*in_period).group_by(receipts.c.rules)
    numbers = counted.subquery()
    query = sa.select(documents.c.digest, numbers.c.windows)
    query = query.join_from(numbers, documents, numbers.c.rules == documents.c.id, isouter=True)
    for digest, windows in connection.execute(query):
        yield digest or "missing", windows


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)
