# SPDX-License-Identifier: Apache-2.0
"""Several threads for one heap of work."""

import threading
from collections.abc import Callable
from collections.abc import Iterable
from typing import TypeVar

from distil import exceptions
from distil.collector.stop import Stop

Piece = TypeVar("Piece")

# Seconds between looks at whether to stop.
_GLANCE = 0.2


def share_out(work: Iterable[Piece], do: Callable[[Piece], None], threads: int, stop: Stop) -> None:
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
                    piece = next(pieces)
                do(piece)
        except StopIteration:
            return
        except BaseException as failure:
            failures.append(failure)

    crew = [threading.Thread(target=run, name=f"collector-{number}", daemon=True) for number in range(threads)]
    for each in crew:
        each.start()
    for each in crew:
        while each.is_alive():
            if stop.event.is_set():
                raise exceptions.Stopped("the collector is stopping")
            each.join(_GLANCE)
    if failures:
        raise failures[0]
