# SPDX-License-Identifier: Apache-2.0
"""What the guard against vanished meters reads: the meters of committed windows, and why windows were held before."""

import datetime
import json
from collections.abc import Collection
from collections.abc import Mapping

import sqlalchemy as sa

from distil import model
from distil.db import errors
from distil.db import queries
from distil.db.models import project_failures
from distil.db.models import receipts


class PreviousMeters:
    """Reads for many projects at once. Threads share it.

    Every method raises StoreError if the database fails.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def load(self, windows: Collection[tuple[str, datetime.datetime]]) -> dict[str, Mapping[str, model.MeterCount]]:
        """The meters by project id, of those windows that have a receipt.

        :param windows: project id and start of each, one of a project.
        """
        meters: dict[str, Mapping[str, model.MeterCount]] = {}
        key = sa.tuple_(receipts.c.tenant_id, receipts.c.start)
        query = sa.select(receipts.c.tenant_id, receipts.c.meters)
        with errors.translate_errors("read meters of receipts"), self._engine.connect() as connection:
            for batch in queries.batched(sorted(windows)):
                for project_id, document in connection.execute(query.where(key.in_(batch))):
                    counts = json.loads(document).items()
                    meters[project_id] = {name: model.MeterCount(*count) for name, count in counts}
        return meters

    def failures(self, project_ids: Collection[str]) -> dict[tuple[str, datetime.datetime], str]:
        """Why the last run of a project failed, by project id and start of the window that it failed at."""
        stored = project_failures.c
        query = sa.select(stored.tenant_id, stored.start, stored.reason).where(stored.start.is_not(None))
        failures: dict[tuple[str, datetime.datetime], str] = {}
        with errors.translate_errors("read failures"), self._engine.connect() as connection:
            for batch in queries.batched(sorted(project_ids)):
                rows = connection.execute(query.where(stored.tenant_id.in_(batch)))
                failures.update(((project_id, start), reason) for project_id, start, reason in rows)
        return failures
