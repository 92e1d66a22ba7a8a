# SPDX-License-Identifier: Apache-2.0
"""Which windows were rated by which rules, as far as their receipts say."""

import datetime
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from distil.db import errors
from distil.db.models import receipts


class RulesUsage(NamedTuple):
    """The windows that one collector has rated by the same rules.

    :param rules: id of the document.
    :param first: start of the first window.
    :param last: start of the last window.
    """

    rules: int
    collector: str | None
    first: datetime.datetime
    last: datetime.datetime
    windows: int


def totals(engine: sa.Engine) -> Sequence[RulesUsage]:
    """The windows by rules and collector. Reads an index of all receipts.

    :raises StoreError: the database failed.
    """
    columns = receipts.c
    query = sa.select(
        columns.rules, columns.collector, sa.func.min(columns.start), sa.func.max(columns.start), sa.func.count()
    ).group_by(columns.rules, columns.collector)
    with errors.translate_errors("count windows by rules"), engine.connect() as connection:
        return [RulesUsage(*row) for row in connection.execute(query)]


def first_window(engine: sa.Engine, project_id: str, rules: int) -> datetime.datetime | None:
    """The start of the first window of a project that was rated by the rules. Reads the project's receipts.

    :raises StoreError: the database failed.
    """
    columns = receipts.c
    query = sa.select(sa.func.min(columns.start)).where(columns.tenant_id == project_id, columns.rules == rules)
    with errors.translate_errors(f"read the receipts of project {project_id}"), engine.connect() as connection:
        found: datetime.datetime | None = connection.scalar(query)
    return found
