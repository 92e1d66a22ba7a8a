# SPDX-License-Identifier: Apache-2.0
"""Dispatches due windows to worker threads; re-checks projects held by other collectors at the end."""

import itertools
import random
import time
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

from oslo_log import log

from distil.collector.due import Allowance
from distil.collector.due import DueProject
from distil.collector.guard import MeterGuard
from distil.collector.project_batch import BatchCollector
from distil.collector.project_batch import Leftover
from distil.collector.samples import SampleFetcher
from distil.collector.shutdown import Shutdown
from distil.collector.workers import run_in_threads
from distil.text import pluralize

LOG = log.getLogger(__name__)

# Seconds between checks of the projects held by other collectors.
_POLL_SECONDS = 1.0

# Empty windows that a run collects in addition. It takes a minute or two to store them.
_MAX_EMPTY_WINDOWS = 50_000


class Dispatcher:
    """Dispatches the work of a run.

    :param concurrency: number of worker threads.
    """

    def __init__(
        self,
        *,
        batches: BatchCollector,
        fetcher: SampleFetcher,
        concurrency: int,
        shutdown: Shutdown,
        guard: MeterGuard,
    ) -> None:
        self._batches = batches
        self._fetcher = fetcher
        self._concurrency = concurrency
        self._shutdown = shutdown
        self._guard = guard

    def run(self, due: Sequence[DueProject], timeout: float) -> set[str]:
        """Collect the windows of each project, up to the first that fails.

        Projects held by other collectors are tried again at the end: the holder may have died or left windows over.

        :param timeout: seconds to wait for them without any progress; 0 tries once.
        :returns: ids of the projects that other collectors hold.
        :raises StoreError: the database failed while these projects were tried again.
        :raises ShutdownRequested: committed windows stay.
        """
        allowance = Allowance(_MAX_EMPTY_WINDOWS)
        self._guard.start_run(due)
        held = self._pass(due, allowance)
        if held and timeout:
            projects = pluralize(len(held), "project is", "projects are")
            LOG.info("%s being collected elsewhere; waiting up to %d s.", projects, timeout)
        progressed = time.monotonic()
        while held:
            previous, held = held, self._pass(self._batches.still_due(held), allowance)
            if held != previous:
                progressed = time.monotonic()
            if not held or time.monotonic() - progressed >= timeout:
                break
            self._shutdown.wait(_POLL_SECONDS)
            self._shutdown.raise_if_requested()
        if held:
            LOG.debug("%s left to other collectors.", pluralize(len(held), "project is", "projects are"))
        return {left.project.id for left in held}

    def _pass(self, due: Sequence[DueProject], allowance: Allowance) -> list[DueProject]:
        """Collect the windows of each project; those that are deferred are tried again when all have been looked at.

        :returns: the projects that other collectors hold.
        """
        held = []
        while due:
            leftover = self._collect_all(due, allowance)
            self._guard.judge()
            held += leftover.held
            # Judged by now, so that each pass commits or holds a window of every project.
            due = leftover.deferred
        return held

    def _collect_all(self, due: Sequence[DueProject], allowance: Allowance) -> Leftover:
        """:returns: the projects that are left, in their order."""
        held: dict[str, DueProject] = {}
        deferred: dict[str, DueProject] = {}

        def collect(batch: Sequence[DueProject]) -> None:
            leftover = self._batches.collect(batch, allowance)
            held.update((left.project.id, left) for left in leftover.held)
            deferred.update((left.project.id, left) for left in leftover.deferred)

        # Those that failed come after all others, each alone and in random order: one of them may be why they failed.
        suspects = self._batches.suspects
        failed = [[project] for project in due if project.project.id in suspects]
        random.shuffle(failed)
        others = [project for project in due if project.project.id not in suspects]
        for batches in (self._batched(others), failed):
            run_in_threads(batches, collect, self._concurrency, self._shutdown)
        ids = [project.project.id for project in due]
        return Leftover([held[key] for key in ids if key in held], [deferred[key] for key in ids if key in deferred])

    def _batched(self, due: Iterable[DueProject]) -> Iterator[list[DueProject]]:
        """Group adjacent projects with the same windows, as many as one request covers."""
        for _, group in itertools.groupby(due, key=lambda project: project.windows):
            projects = iter(group)
            for first in projects:
                others = max(0, self._fetcher.batch_size // first.planned - 1)
                yield [first, *itertools.islice(projects, others)]
