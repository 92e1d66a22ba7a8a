# SPDX-License-Identifier: Apache-2.0
"""A testbed some of whose samples come late, and the command that collects its windows again."""

import datetime
import pathlib
from collections import Counter
from collections import defaultdict
from collections.abc import Iterator

import sqlalchemy as sa

from distil import digest
from distil import model
from distil.db import models
from distil.tests.support.site import HOUR
from faults.actions import Fault
from faults.fork_server import CollectorProcess
from faults.instrumentation import FaultPoint
from faults.testbed import WINDOWS
from faults.testbed import Testbed
from faults.testbed import inject_samples

_Key = tuple[str, datetime.datetime]

# Of each window's first half they are collected in time: volumes that are added up, and instances.
_LATE_METERS = ("instance", "traffic.inbound.national")


class Recollection:
    """Collects the testbed while samples are withheld, delivers them, and has the windows collected again.

    :ivar points: fault points of the command, in order.
    """

    def __init__(self, testbed: Testbed) -> None:
        self._testbed = testbed
        self.points: list[FaultPoint] = []
        self._first_usage: dict[_Key, set[model.Usage]] = {}
        self._before = self._after = testbed.expected_rows.windows()
        for _ in range(2):
            self._run_fault_free()

    def prepare(self, windows: int = WINDOWS) -> None:
        """Empty the database, collect windows without the late samples, and deliver these."""
        self._testbed.reset()
        self._withhold()
        collector = self._testbed.start(windows)
        collector.wait()
        with self._testbed.engine.connect() as connection:
            entries = _entries(connection, models.usage_entry)
        # Windows that are collected later have all samples from the first.
        self._first_usage = defaultdict(set, {key: set(usage) for key, usage in entries.items()})
        self._deliver()

    def start(self, fault: Fault | None = None, report: pathlib.Path | None = None) -> CollectorProcess:
        """Start the command."""
        start = self._testbed.start_time
        period = ("--start", start.isoformat(), "--end", (start + WINDOWS * HOUR).isoformat())
        arguments = ("usage", "recollect", "--all", *period, "--reason", "samples came late")
        return self._testbed.manage(*arguments, fault=fault, report=report)

    def problems(self) -> list[str]:
        """What is wrong now: a window that is neither as it was nor as it should be, or an incomplete history."""
        found = []
        for key, rows in self._testbed.stored_rows().windows().items():
            if rows not in (self._before[key], self._after[key]):
                found.append(f"window {key} is neither as it was nor as it should be")
        return found + list(self._history_problems())

    def _run_fault_free(self) -> None:
        report = self._testbed.folder / "recollection.json"
        self.prepare()
        self._before = self._testbed.stored_rows().windows()
        process = self.start(report=report)
        process.wait()
        self.points = self._testbed.preload(report)
        changed = [key for key, rows in self._before.items() if rows != self._after[key]]
        if problems := [*process.problems(0), *self.problems()]:
            raise AssertionError(f"fault-free recollection failed: {problems}")
        if len(changed) < WINDOWS or self._testbed.stored_rows().windows() != self._after:
            raise AssertionError(f"fault-free recollection changed other windows than {changed}")

    def _withhold(self) -> None:
        cloud, start = self._testbed.cloud, self._testbed.start_time
        project = cloud.projects.enabled_ids[0]
        for meter in _LATE_METERS:
            samples = list(cloud.samples(project, meter, start, start + WINDOWS * HOUR))
            in_time = [sample for sample in samples if int(sample["timestamp"][14:16]) < 30]
            cloud.injected_samples.add(project, meter, in_time, replace=True)

    def _deliver(self) -> None:
        self._testbed.cloud.injected_samples.clear()
        inject_samples(self._testbed.cloud, self._testbed.start_time)

    def _history_problems(self) -> Iterator[str]:
        with self._testbed.engine.connect() as connection:
            stored = {(row.tenant_id, row.start): row for row in connection.execute(sa.select(models.receipts))}
            revisions: dict[_Key, list[int]] = defaultdict(list)
            for row in connection.execute(sa.select(models.receipt_history)):
                revisions[row.tenant_id, row.start].append(row.revision)
            current, replaced = _entries(connection, models.usage_entry), _entries(connection, models.usage_history)
        for key, receipt in stored.items():
            if sorted(revisions[key]) != list(range(receipt.revision)):
                yield f"window {key} has revision {receipt.revision}, and a history of {revisions[key]}"
            if digest.usage_digest(current[key]) != receipt.usage_digest:
                yield f"window {key} has other usage than its receipt says"
            if doubled := [entry for entry, count in Counter(current[key] + replaced[key]).items() if count > 1]:
                yield f"window {key} has {doubled} more than once"
            if lost := self._first_usage[key] - set(current[key]) - set(replaced[key]):
                yield f"window {key} has lost {lost}"


def _entries(connection: sa.Connection, table: sa.Table) -> dict[_Key, list[model.Usage]]:
    found: dict[_Key, list[model.Usage]] = defaultdict(list)
    for row in connection.execute(sa.select(table)):
        found[row.tenant_id, row.start].append(model.Usage(row.service, row.resource_id, row.unit, row.volume))
    return found
