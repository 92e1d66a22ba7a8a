# SPDX-License-Identifier: Apache-2.0
"""Collectors in processes that a fork server starts, polls, resumes and kills."""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from faults.actions import Fault
from faults.fork_server_process import CRASHED

COLLECTOR_TIMEOUT_SECONDS = 120.0
_SHUTDOWN_TIMEOUT_SECONDS = 30
_POLL_SECONDS = 0.005
_LOG_FILES = 16
# A traceback logged by the product itself; libraries log tracebacks of errors that are handled.
_TRACEBACK = re.compile(r"ERROR distil\.\S+ .*Traceback")
_MAX_TRACEBACK = 3000
_MAX_LOG_TAIL = 600


class CollectorProcess:
    """One collector.

    :ivar exit_status: negative for a signal; None while it runs.
    :ivar paused: whether SIGSTOP has stopped it.
    """

    def __init__(self, server: "ForkServer", pid: int, log: pathlib.Path) -> None:
        self._server = server
        self.pid = pid
        self._log = log
        self.exit_status: int | None = None
        self.paused = False

    def poll(self) -> None:
        """Update :attr:`exit_status` and :attr:`paused`."""
        if self.exit_status is None:
            state = self._server.request("poll", pid=self.pid)
            self.paused = self.paused or state["paused"]
            self.exit_status = state["exit_status"]

    def wait(self, timeout: float = COLLECTOR_TIMEOUT_SECONDS) -> int | None:
        """Wait until it ends or is paused, and return the exit status.

        :param timeout: in seconds.
        :raises TimeoutError: it did neither, and has been killed.
        """
        deadline = time.monotonic() + timeout
        while True:
            self.poll()
            if self.exit_status is not None or self.paused:
                return self.exit_status
            if time.monotonic() > deadline:
                self.kill()
                raise TimeoutError(f"collector did not end within {timeout:g} s; end of its log: {self._log_tail()}")
            time.sleep(_POLL_SECONDS)

    def resume(self) -> None:
        self.paused = False
        os.kill(self.pid, signal.SIGCONT)

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """Kill it and its child processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        while self.exit_status is None:
            self.poll()

    def output(self) -> str:
        """Return its standard output and error so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def problems(self, *expected_statuses: int) -> list[str]:
        """Return unexpected exit statuses and logged tracebacks."""
        found = []
        if self.exit_status not in expected_statuses:
            kind = "crash" if self.exit_status == CRASHED else f"exit status {self.exit_status}"
            found.append(f"{kind}: {self._log_tail()}")
        output = self.output()
        traceback = _TRACEBACK.search(output)
        if traceback:
            found.append(f"traceback: {output[traceback.start() : traceback.start() + _MAX_TRACEBACK]}")
        return found

    def _log_tail(self) -> str:
        return self.output()[-_MAX_LOG_TAIL:]


class ForkServer:
    """Starts collectors by forking a process that has imported all modules.

    :param process: of :mod:`faults.fork_server_process`, with pipes.
    :param folder: for logs.
    """

    def __init__(self, process: "subprocess.Popen[str]", folder: pathlib.Path) -> None:
        self._process = process
        self._folder = folder
        self._started = 0
        self._collectors: list[CollectorProcess] = []

    def request(self, command: str, **arguments: Any) -> Any:
        """Return the reply to a command."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"command": command, **arguments}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def start(
        self,
        arguments: Sequence[str],
        fault: Fault | None = None,
        report: pathlib.Path | None = None,
        program: str = "distil-collector",
    ) -> CollectorProcess:
        """Start a collector, or another program.

        :param arguments: of the program.
        :param report: file that receives the fault points that it reached and the modules that it imported.
        """
        self._started += 1
        log = self._folder / f"{self._started % _LOG_FILES}.log"
        log.unlink(missing_ok=True)
        pid = self.request(
            "start",
            program=program,
            arguments=list(arguments),
            log=str(log),
            fault=dataclasses.asdict(fault) if fault else None,
            report=str(report) if report else None,
        )
        collector = CollectorProcess(self, pid, log)
        self._collectors.append(collector)
        return collector

    def kill_all(self) -> None:
        """Kill all collectors that still run."""
        for collector in self._collectors:
            if collector.exit_status is None:
                collector.kill()
        self._collectors.clear()


@contextlib.contextmanager
def running_fork_server(folder: pathlib.Path, seed: int) -> Iterator[ForkServer]:
    """Run a fork server.

    :param folder: for logs.
    :param seed: of string hashes, so that every collector reaches the same fault points in the same order.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "faults.fork_server_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": str(seed)},
    )
    try:
        yield ForkServer(process, folder)
    finally:
        # The end of its input ends it, and all collectors.
        process.communicate(timeout=_SHUTDOWN_TIMEOUT_SECONDS)
