# SPDX-License-Identifier: Apache-2.0
"""The rows that collectors have stored, without creation times and generated numbers, to be compared."""

import dataclasses
import datetime
from collections import Counter
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from typing import Self

import sqlalchemy as sa

from distil.db import models

_Row = tuple[Any, ...]

_TABLES = (models.tenants, models.resources, models.usage_entry, models.rejected_samples, models.receipts)
_TABLES_OF_WINDOWS = (models.usage_entry, models.rejected_samples, models.receipts)
_IGNORED_COLUMNS = {"created", "committed"}
# A revision is checked with the history of its receipt.
_GENERATED_COLUMNS = {"rejected_samples": {"id"}, "receipts": {"rules", "names", "revision"}}


@dataclasses.dataclass(frozen=True)
class RowDifference:
    """How stored rows differ from those of the golden run.

    :param lost: rows of the golden run that are missing.
    :param unexpected: rows that the golden run lacks, or has fewer of.
    """

    lost: tuple[str, ...]
    unexpected: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class StoredRows:
    """The rows of all tables, with their number of occurrences."""

    tables: dict[str, Counter[_Row]]

    @classmethod
    def read(cls, engine: sa.Engine) -> Self:
        with engine.connect() as connection:
            return cls({table.name: _read(connection, table) for table in _TABLES})

    def count(self, table: str) -> int:
        """Return the number of rows of a table."""
        return self.tables[table].total()

    def last_collected(self) -> dict[str, datetime.datetime]:
        """Return the last collected time of each project, by ID."""
        columns = _columns(models.tenants)
        project, time = columns.index("id"), columns.index("last_collected")
        return {row[project]: row[time] for row in self.tables[models.tenants.name]}

    def compare(self, golden: "StoredRows") -> RowDifference:
        return RowDifference(tuple(_missing(golden, self)), tuple(_missing(self, golden)))

    def windows(self) -> "dict[tuple[str, datetime.datetime], Counter[tuple[str, _Row]]]":
        """The rows of each window by project and start."""
        found: dict[tuple[str, datetime.datetime], Counter[tuple[str, _Row]]] = defaultdict(Counter)
        for table in _TABLES_OF_WINDOWS:
            columns = _columns(table)
            project, start = columns.index("tenant_id"), columns.index("start")
            for row, count in self.tables[table.name].items():
                found[row[project], row[start]][table.name, row] += count
        return found

    def partial_windows(self, golden: "StoredRows") -> list[str]:
        """Return the rows by which a window is stored in part.

        Up to a project's last collected time, each window must have all rows of the golden run; after it, none.
        """
        last_collected = self.last_collected()
        found = []
        for table in _TABLES_OF_WINDOWS:
            columns = _columns(table)
            project, end = columns.index("tenant_id"), columns.index("end")
            expected = Counter(
                {
                    row: count
                    for row, count in golden.tables[table.name].items()
                    if row[project] in last_collected and row[end] <= last_collected[row[project]]
                }
            )
            actual = self.tables[table.name]
            found += [f"partial window: {table.name} lacks {row}" for row in expected - actual]
            found += [f"partial window: {table.name} has {row}" for row in actual - expected]
        return found


def _missing(rows: StoredRows, others: StoredRows) -> Iterator[str]:
    for name, counts in rows.tables.items():
        for row in (counts - others.tables[name]).elements():
            yield f"{name} {row}"


def _columns(table: sa.Table) -> list[str]:
    excluded = _IGNORED_COLUMNS | _GENERATED_COLUMNS.get(table.name, set())
    return [column.name for column in table.columns if column.name not in excluded]


def _read(connection: sa.Connection, table: sa.Table) -> Counter[_Row]:
    columns = [table.c[name] for name in _columns(table)]
    return Counter(tuple(row) for row in connection.execute(sa.select(*columns)))
