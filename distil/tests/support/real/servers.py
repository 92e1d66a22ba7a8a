# SPDX-License-Identifier: Apache-2.0
"""Server processes, and those that choose their own port and announce it."""

import atexit
import pathlib
import re
import subprocess
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TypeVar

_ANNOUNCEMENT = re.compile(r"^Available at http://\S+:(\d+)/$", re.MULTILINE)
_START_TIMEOUT_SECONDS = 120
_STOP_TIMEOUT_SECONDS = 10
_POLL_SECONDS = 0.05
_MAX_OUTPUT_LENGTH = 4000

_Ready = TypeVar("_Ready")


class ServerProcess:
    """A process that ends with the test process at the latest.

    :param log: file for what it writes.
    """

    def __init__(self, command: Sequence[object], log: pathlib.Path, environment: Mapping[str, str]) -> None:
        self._log = log
        with log.open("w") as file:
            self._process = subprocess.Popen(
                [*map(str, command)], stdout=file, stderr=subprocess.STDOUT, env=environment
            )
        atexit.register(self.stop)

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        atexit.unregister(self.stop)
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def wait_for(self, condition: Callable[[], _Ready | None]) -> _Ready:
        """Poll until a condition holds, and return what it returned.

        :raises RuntimeError: the process ended before, or it took too long; the message has the end of its log.
        """
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            ready = condition()
            if ready is not None:
                return ready
            time.sleep(_POLL_SECONDS)
        self.stop()
        raise RuntimeError(f"{self._process.args!r} is not ready:\n{self.log()[-_MAX_OUTPUT_LENGTH:]}")

    def log(self) -> str:
        return self._log.read_text()


class ListeningProcess(ServerProcess):
    """A process that writes its port as soon as it listens.

    :param announcement: what it writes then, with a group for the port.
    """

    def __init__(
        self,
        command: Sequence[object],
        log: pathlib.Path,
        environment: Mapping[str, str],
        announcement: re.Pattern[str] = _ANNOUNCEMENT,
    ) -> None:
        super().__init__(command, log, environment)
        self._announcement = announcement
        self.port = int(self.wait_for(self._announced)[1])

    def _announced(self) -> re.Match[str] | None:
        return self._announcement.search(self.log())
