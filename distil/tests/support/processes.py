# SPDX-License-Identifier: Apache-2.0
"""Processes that tests start, their ports, and waiting for what they do."""

import gc
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

_POLL_SECONDS = 0.05
_TERMINATE_SECONDS = 30
# Below the range from which Linux assigns ports to clients, one of which could otherwise take the port first.
_PORTS = range(20000, 32000)


def script(name: str) -> str:
    """Return the path of one of the project's commands, as it is installed beside the interpreter."""
    return str(pathlib.Path(sys.executable).with_name(name))


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Poll until a condition is true.

    :raises AssertionError: it was not true in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"the condition was not met within {seconds} seconds")
        time.sleep(_POLL_SECONDS)


def terminate(process: "subprocess.Popen[Any]") -> None:
    """Send SIGTERM, and SIGKILL if the process has not ended by the timeout."""
    process.terminate()
    try:
        process.communicate(timeout=_TERMINATE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def kill(process: "subprocess.Popen[Any]") -> None:
    """Send SIGKILL to a process and its children: the parent first, because it would replace a child.

    The children are stopped before: one that notices that its parent has died would end in order.
    """
    of_process = children(process.pid)
    for pid in of_process:
        os.kill(pid, signal.SIGSTOP)
    for pid in [process.pid, *of_process]:
        os.kill(pid, signal.SIGKILL)
    process.wait()


def children(pid: int) -> list[int]:
    """Return the child processes of all threads of a process."""
    lists = pathlib.Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for each in lists for child in each.read_text().split()]


def free_port(count: int = 1) -> int:
    """Return a port on loopback that is free, as are the ``count - 1`` ports after it."""
    while True:
        port = random.choice(_PORTS)
        if all(map(_is_free, range(port, port + count))):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def open_files() -> int:
    """Return the number of files that this process has open, without those of objects that are garbage."""
    gc.collect()
    return len(os.listdir("/proc/self/fd"))
