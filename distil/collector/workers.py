# SPDX-License-Identifier: Apache-2.0
"""Several threads for one heap of work."""

import threading
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from typing import TypeVar

from oslo_log import log

from distil import exceptions
from distil.collector.shutdown import Shutdown
from distil.monitoring.log_context import with_current_context

LOG = log.getLogger(__name__)

Item = TypeVar("Item")

# Seconds between looks at whether to stop.
POLL_INTERVAL = 0.2

_END = object()


def run_in_threads(work: Iterable[Item], do: Callable[[Item], None], threads: int, stop: Shutdown) -> None:
    """Have each piece of work done by whichever thread is free. The pieces are made one at a time.

    What a piece raises is raised here once the other threads have done what they were at; the rest is left undone.

    :raises Stopped: a stop was requested. The threads are not waited for: they notice, or end with the process.
    """
    pieces = iter(work)
    lock = threading.Lock()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            while not failures:
                with lock:
                    piece = next(pieces, _END)
                if piece is _END:
                    return
                do(piece)  # type: ignore[arg-type]
        except BaseException as failure:
            failures.append(failure)

    crew = _started(
        [threading.Thread(target=with_current_context(run), name=f"collector-{n}", daemon=True) for n in range(threads)]
    )
    for each in crew:
        while each.is_alive():
            if stop.event.is_set():
                raise exceptions.ShutdownRequested("the collector is stopping")
            each.join(POLL_INTERVAL)
    if failures:
        raise failures[0]


def _started(threads: Sequence[threading.Thread]) -> list[threading.Thread]:
    """As many as the system allows; with one the work goes on.

    :raises RuntimeError: it allows none.
    """
    started: list[threading.Thread] = []
    for thread in threads:
        try:
            thread.start()
        except RuntimeError as error:
            if not started:
                raise
            LOG.warning("Only %d of %d threads collect: %s", len(started), len(threads), error)
            break
        started.append(thread)
    return started
