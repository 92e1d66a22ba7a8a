# SPDX-License-Identifier: Apache-2.0
"""Runs the project's commands to their end.

A command is forked from a process that has imported all of them, which takes a tenth of the time of a new interpreter.
Tests that are about the start of a process, or that send it signals, start the script itself; see ``processes.script``.
"""

import atexit
import functools
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping

_TIMEOUT_SECONDS = 180


def run(
    name: str, *arguments: str, environment: Mapping[str, str] | None = None, kill_at: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command with an empty standard input.

    :param name: of its script.
    :param environment: variables in addition to those of the test process.
    :param kill_at: number of the point, as the fault harness counts them, at which the command is killed.
    :raises TimeoutError: it has not ended by the timeout; it is killed.
    """
    with tempfile.TemporaryDirectory() as folder:
        stdout, stderr = pathlib.Path(folder, "stdout"), pathlib.Path(folder, "stderr")
        order = {
            "name": name,
            "arguments": arguments,
            "environment": {**os.environ, **(environment or {})},
            "directory": str(pathlib.Path.cwd()),
            "stdout": str(stdout),
            "stderr": str(stderr),
            "kill_at": kill_at,
        }
        status = _server().send(order)
        texts = [path.read_text(errors="replace") if path.exists() else "" for path in (stdout, stderr)]
        return subprocess.CompletedProcess([name, *arguments], status, *texts)


class _Server:
    """The process that forks the commands, one after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "distil.tests.support.command_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._lock = threading.Lock()
        atexit.register(self.stop)

    def send(self, order: Mapping[str, object]) -> int:
        assert self._process.stdin and self._process.stdout
        with self._lock:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            if not select.select([self._process.stdout], [], [], _TIMEOUT_SECONDS)[0]:
                self.stop()
                _server.cache_clear()
                raise TimeoutError(f"{order['name']} {order['arguments']} has not ended in {_TIMEOUT_SECONDS} seconds")
            status = self._process.stdout.readline()
            if not status:
                _server.cache_clear()
                raise RuntimeError(f"the command server has ended with status {self._process.wait()}")
            return int(status)

    def stop(self) -> None:
        """End the process, and the command that it has forked."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        atexit.unregister(self.stop)


@functools.cache
def _server() -> _Server:
    """The one of this test process; it ends with it."""
    return _Server()
