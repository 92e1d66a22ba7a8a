# SPDX-License-Identifier: Apache-2.0
"""Processes items in several threads."""

import threading
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from typing import TypeVar

from oslo_log import log

from distil.collector.shutdown import Shutdown
from distil.monitoring.log_context import with_current_context

LOG = log.getLogger(__name__)

_Item = TypeVar("_Item")

# Seconds between checks for a shutdown.
_POLL_SECONDS = 0.2

_END = object()


def run_in_threads(items: Iterable[_Item], process: Callable[[_Item], None], threads: int, shutdown: Shutdown) -> None:
    """Process each item in the next free thread. Items are produced on demand, one at a time.

    The first error stops all threads after their current item and is raised; the remaining items are not processed.

    :raises ShutdownRequested: a shutdown was requested. The threads are not waited for: they notice it themselves, or
        end with the process.
    """
    iterator = iter(items)
    lock = threading.Lock()
    errors: list[BaseException] = []

    def work() -> None:
        try:
            while not errors:
                with lock:
                    item = next(iterator, _END)
                if item is _END:
                    return
                process(item)  # type: ignore[arg-type]
        except BaseException as error:
            errors.append(error)

    target = with_current_context(work)
    names = [f"collector-{number}" for number in range(threads)]
    for worker in _start([threading.Thread(target=target, name=name, daemon=True) for name in names]):
        while worker.is_alive():
            shutdown.raise_if_requested()
            worker.join(_POLL_SECONDS)
    if errors:
        raise errors[0]


def _start(threads: Sequence[threading.Thread]) -> list[threading.Thread]:
    """Start as many threads as the system allows.

    :raises RuntimeError: it allows none.
    """
    started: list[threading.Thread] = []
    for thread in threads:
        try:
            thread.start()
        except RuntimeError as error:
            if not started:
                raise
            LOG.warning("Only %d of %d worker threads could be started: %s", len(started), len(threads), error)
            break
        started.append(thread)
    return started
