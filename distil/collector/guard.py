# SPDX-License-Identifier: Apache-2.0
"""Holds windows whose meters have vanished in many projects at once: a fault of telemetry looks like no usage.

Whether no project has a meter is only known when all of a run's windows of that time have been looked at. So a window
that lacks a meter which no other has shown so far is deferred, before anything of it is stored. After each pass over
the projects the deferred windows are judged, and the next pass commits or holds them. A window that is neither is
simply due: nothing here is needed to collect it exactly once.
"""

import datetime
import threading
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Sequence
from typing import NamedTuple

from oslo_log import log

from distil import exceptions
from distil import model
from distil.collector import vanished
from distil.collector.due import DueProject
from distil.collector.vanished import Loss
from distil.collector.vanished import Meters
from distil.collector.vanished import Shown
from distil.db.previous_meters import PreviousMeters
from distil.text import pluralize

LOG = log.getLogger(__name__)


class _Previous(NamedTuple):
    """The last committed window of a project: its end, and its meters; None: it has no receipt."""

    end: datetime.datetime
    meters: Meters | None


class MeterGuard:
    """Decides which windows are held. Threads share it.

    It remembers the meters of each project's last window, and reads those that it does not remember.

    :param projects: number of projects that must have lost a meter; 0: nothing is held.
    :param patience: number of runs for which a window is held.
    """

    def __init__(self, receipts: PreviousMeters, *, projects: int, patience: int) -> None:
        self._receipts = receipts
        self._quorum = projects
        self._patience = patience
        self._lock = threading.Lock()
        self._previous: dict[str, _Previous] = {}
        self._start([])

    def start_run(self, due: Sequence[DueProject]) -> None:
        """Forget what the last run has seen, and the projects that are not due."""
        with self._lock:
            self._start(due)

    def _start(self, due: Sequence[DueProject]) -> None:
        ids = {project.project.id for project in due}
        self._previous = {key: previous for key, previous in self._previous.items() if key in ids}
        # Fewer can never be as many as it takes.
        self._may_hold = 0 < self._quorum <= len(ids)
        self._shown: dict[datetime.datetime, set[Shown]] = defaultdict(set)
        self._lost: dict[tuple[datetime.datetime, Loss], set[str]] = defaultdict(set)
        self._judged: dict[tuple[datetime.datetime, Loss], frozenset[str]] = {}
        self._failures: dict[tuple[str, datetime.datetime], str] = {}

    def load(self, projects: Iterable[DueProject]) -> None:
        """Read what projects had before their next window, where it is not known.

        :raises StoreError: the database failed.
        """
        if not self._quorum:
            return
        first = {due.project.id: due.windows[0] for due in projects}
        unknown = {
            project_id: window
            for project_id, window in first.items()
            if project_id not in self._previous or self._previous[project_id].end != window.start
        }
        if not unknown:
            return
        starts = [(key, window.start - (window.end - window.start)) for key, window in unknown.items()]
        loaded = self._receipts.load(starts)
        with self._lock:
            for project_id, window in unknown.items():
                self._previous[project_id] = _Previous(window.start, loaded.get(project_id))

    def check(self, project_id: str, window: model.Window, current: Meters) -> str | None:
        """Decide about a window that is ready to be committed.

        :param current: its meters.
        :returns: why it is suspect; None: it is not.
        :raises WindowDeferred: it depends on windows of other projects.
        :raises MetersVanished: it is held.
        """
        if not self._quorum:
            return None
        with self._lock:
            self._shown[window.start] |= vanished.shown(current)
            lost = self._uncontradicted(project_id, window, current)
            if not self._may_hold:
                return _suspect([loss for loss in lost if loss.is_unit])
            deferred = [loss for loss in lost if project_id not in self._judged.get((window.start, loss), ())]
            for loss in deferred:
                self._lost[window.start, loss].add(project_id)
            if deferred:
                raise exceptions.WindowDeferred(f"{deferred[0]}; other projects may have it")
            return self._decide(project_id, window, lost)

    def committed(self, project_id: str, window: model.Window, current: Meters) -> None:
        """A window was committed with these meters."""
        if self._quorum:
            with self._lock:
                self._previous[project_id] = _Previous(window.end, current)

    def judge(self) -> None:
        """Decide about what is lost, by all windows that were looked at in this run so far.

        :raises StoreError: the database failed.
        """
        with self._lock:
            new = {key: frozenset(ids) for key, ids in self._lost.items() if ids - self._judged.get(key, frozenset())}
        if not new:
            return
        failures = self._receipts.failures(set().union(*new.values()))
        with self._lock:
            self._failures |= failures
            self._judged |= new
            for start in sorted({start for start, _ in new}):
                held = sorted(loss for begun, loss in new if begun == start and self._is_held(start, loss))
                if held:
                    _log_held(start, held, len(self._judged[start, held[0]]))

    def _is_held(self, start: datetime.datetime, loss: Loss) -> bool:
        is_contradicted = vanished.is_contradicted(loss, self._shown[start])
        return not is_contradicted and len(self._judged[start, loss]) >= self._quorum

    def _uncontradicted(self, project_id: str, window: model.Window, current: Meters) -> list[Loss]:
        previous = self._previous.get(project_id)
        if previous is None or previous.end != window.start or previous.meters is None:
            return []
        lost = vanished.losses(previous.meters, current)
        others = self._shown[window.start]
        return [loss for loss in lost if loss.is_unit or not vanished.is_contradicted(loss, others)]

    def _decide(self, project_id: str, window: model.Window, lost: Sequence[Loss]) -> str | None:
        held = [loss for loss in lost if self._is_held(window.start, loss)]
        if not held:
            return _suspect([loss for loss in lost if loss.is_unit])
        more = vanished.more_runs(self._failures.get((project_id, window.start)), self._patience)
        if more < 0:
            return _suspect(lost)
        raise exceptions.MetersVanished(vanished.reason(held, len(self._judged[window.start, held[0]]), more))


def _suspect(lost: Sequence[Loss]) -> str | None:
    return "; ".join(map(str, lost)) or None


def _log_held(start: datetime.datetime, held: Sequence[Loss], projects: int) -> None:
    """:param projects: number of those that have lost the first."""
    LOG.error(
        "Windows from %s are held, retrying in the next run: %s%s; %s had it in their previous window and none has it"
        " now",
        start,
        held[0],
        f" (and {pluralize(len(held) - 1, 'other meter')})" if held[1:] else "",
        pluralize(projects, "project"),
    )
