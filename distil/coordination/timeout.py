# SPDX-License-Identifier: Apache-2.0
"""Bounds for what has none: a driver of tooz may take a minute to find out that nobody answers."""

import concurrent.futures
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def call_with_timeout(
    seconds: float, action: Callable[[], T], on_late_result: Callable[["concurrent.futures.Future[T]"], None]
) -> T:
    """What the action returns or raises, where that takes no longer; where it does, it goes on in a thread.

    :param late: given the outcome when nobody waits for it any more.
    :raises TimeoutError: it takes longer.
    """
    future: concurrent.futures.Future[T] = concurrent.futures.Future()

    def run() -> None:
        try:
            future.set_result(action())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=run, name="coordination", daemon=True).start()
    if not concurrent.futures.wait([future], seconds).done:
        future.add_done_callback(on_late_result)
        raise TimeoutError(f"no answer in {seconds:.0f} seconds")
    return future.result()
