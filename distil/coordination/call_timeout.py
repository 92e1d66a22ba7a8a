# SPDX-License-Identifier: Apache-2.0
"""Runs blocking calls with a timeout: a driver of tooz may need a minute to notice that its backend is down."""

import concurrent.futures
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def call_with_timeout(
    seconds: float, action: Callable[[], T], on_late_result: Callable[["concurrent.futures.Future[T]"], None]
) -> T:
    """Returns or raises what the action does. An action that times out continues in its thread.

    :param on_late_result: is called with the result of an action that ends after the timeout.
    :raises TimeoutError: the action takes longer.
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
        raise TimeoutError(f"no response within {seconds:.0f} s")
    return future.result()
