# SPDX-License-Identifier: Apache-2.0
"""Everything that collectors store, to compare: all columns but times of creation and generated numbers."""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from typing import Any
from typing import Self

import sqlalchemy as sa

from distil.db import models

Row = tuple[Any, ...]

_TABLES = (models.tenants, models.resources, models.usage_entry, models.rejected_samples)
_ASIDE = {"created"}
_NUMBERED = {"rejected_samples": {"id"}}
_WINDOWED = (models.usage_entry.name, models.rejected_samples.name)


@dataclasses.dataclass(frozen=True)
class Difference:
    """:param lost: rows that the undisturbed run has.
    :param doubled: rows that it has not, or not so often.
    """

    lost: tuple[str, ...]
    doubled: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Rows:
    """Rows by table, and how often each is there."""

    tables: dict[str, Counter[Row]]

    @classmethod
    def read(cls, engine: sa.Engine) -> Self:
        with engine.connect() as connection:
            return cls({table.name: _read(connection, table) for table in _TABLES})

    def against(self, undisturbed: "Rows") -> Difference:
        return Difference(tuple(_missing(undisturbed, self)), tuple(_missing(self, undisturbed)))

    def halves(self, undisturbed: "Rows") -> list[str]:
        """What is wrong with windows: each is either there as the undisturbed run has it, or not at all.

        Last collected says which are there.
        """
        last_collected = {row[0]: row[-1] for row in self.tables[models.tenants.name]}
        found = []
        for name in _WINDOWED:
            columns = _columns(models.metadata.tables[name])
            project, end = columns.index("tenant_id"), columns.index("end")
            wanted = Counter(
                {
                    row: times
                    for row, times in undisturbed.tables[name].items()
                    if row[project] in last_collected and row[end] <= last_collected[row[project]]
                }
            )
            found += [f"half a window: {name} lacks {row}" for row in wanted - self.tables[name]]
            found += [f"half a window: {name} has {row}" for row in self.tables[name] - wanted]
        return found


def _missing(rows: Rows, where: Rows) -> Iterator[str]:
    for name, counted in rows.tables.items():
        for row in (counted - where.tables[name]).elements():
            yield f"{name} {row}"


def _columns(table: sa.Table) -> list[str]:
    aside = _ASIDE | _NUMBERED.get(table.name, set())
    return [column.name for column in table.columns if column.name not in aside]


def _read(connection: sa.Connection, table: sa.Table) -> Counter[Row]:
    columns = [table.c[name] for name in _columns(table)]
    return Counter(tuple(row) for row in connection.execute(sa.select(*columns)))
