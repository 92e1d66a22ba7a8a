# SPDX-License-Identifier: Apache-2.0
"""The test's side of a warm process: collectors that are started, looked at, paused and killed."""

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
from collections.abc import Sequence
from types import TracebackType
from typing import Any
from typing import Self

from faults.actions import Fault
from faults.fork_server_process import CRASHED

PATIENCE = 120.0
_POLL = 0.005
# A trace that the product itself logs; libraries log theirs for errors that are handled.
_DEFECT = re.compile(r"ERROR distil\.\S+ .*Traceback")


class Member:
    """One collector.

    :ivar status: exit status, a signal as a negative one; None while it lives.
    """

    def __init__(self, warm: "Warm", pid: int, log: pathlib.Path) -> None:
        self._warm = warm
        self.pid = pid
        self.log = log
        self.status: int | None = None
        self.stopped = False

    def look(self) -> None:
        """Learn what has become of it."""
        if self.status is None:
            state = self._warm.ask("look", pid=self.pid)
            if state == "stopped":
                self.stopped = True
            elif state is not None:
                self.status = state

    def wait(self, seconds: float = PATIENCE) -> int | None:
        """Wait until it ends or stops, and return the status.

        :raises TimeoutError: it hangs. It is killed.
        """
        deadline = time.monotonic() + seconds
        while True:
            self.look()
            if self.status is not None or self.stopped:
                return self.status
            if time.monotonic() > deadline:
                self.kill()
                raise TimeoutError(f"a collector hangs; the last it said: {self.said()[-300:]}")
            time.sleep(_POLL)

    def resume(self) -> None:
        self.stopped = False
        os.kill(self.pid, signal.SIGCONT)

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """Kill it and what it has forked."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        while self.status is None:
            self.look()

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def problems(self, *expected: int) -> list[str]:
        """What is wrong with how it ended."""
        found = []
        if self.status not in expected:
            kind = "crash" if self.status == CRASHED else f"status {self.status}"
            found.append(f"{kind}: {self.said()[-600:]}")
        defect = _DEFECT.search(said := self.said())
        if defect:
            found.append(f"defect: {said[defect.start() : defect.start() + 3000]}")
        return found


class Warm:
    """The process that forks them, for the duration of a ``with``.

    :param folder: for logs.
    :param seed: of the order in sets, so that every process passes the same points.
    """

    def __init__(self, folder: pathlib.Path, seed: int) -> None:
        self._folder = folder
        self._environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        self._logs = 0
        self._members: list[Member] = []

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "faults.fork_server_process"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self._environment
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The end of its input ends it, and all that it has forked.
        self._process.communicate(timeout=30)

    def ask(self, do: str, **order: Any) -> Any:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"do": do, **order}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def start(self, arguments: Sequence[str], fault: Fault | None = None, report: pathlib.Path | None = None) -> Member:
        self._logs += 1
        log = self._folder / f"{self._logs % 16}.log"
        log.unlink(missing_ok=True)
        order = {
            "arguments": list(arguments),
            "log": str(log),
            "fault": dataclasses.asdict(fault) if fault else None,
            "report": str(report) if report else None,
        }
        member = Member(self, self.ask("start", **order), log)
        self._members.append(member)
        return member

    def kill_all(self) -> None:
        """Kill those that still live."""
        for member in self._members:
            if member.status is None:
                member.kill()
        self._members.clear()
