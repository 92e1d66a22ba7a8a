# SPDX-License-Identifier: Apache-2.0
"""Server processes that choose their own port and announce it."""

import atexit
import pathlib
import re
import subprocess
import time
from collections.abc import Mapping
from collections.abc import Sequence

_ANNOUNCEMENT = re.compile(r"^Available at http://\S+:(\d+)/$", re.MULTILINE)
_START_TIMEOUT_SECONDS = 120
_STOP_TIMEOUT_SECONDS = 10
_POLL_SECONDS = 0.05
_MAX_OUTPUT_LENGTH = 4000


class ListeningProcess:
    """A process that writes its port as soon as it listens; it ends with the test process.

    :param log: file for what it writes.
    :param announcement: what it writes then, with a group for the port.
    """

    def __init__(
        self,
        command: Sequence[object],
        log: pathlib.Path,
        environment: Mapping[str, str],
        announcement: re.Pattern[str] = _ANNOUNCEMENT,
    ) -> None:
        self._log = log
        self._announcement = announcement
        with log.open("w") as file:
            self._process = subprocess.Popen(
                [*map(str, command)], stdout=file, stderr=subprocess.STDOUT, env=environment
            )
        atexit.register(self.stop)
        self.port = self._announced_port()

    def stop(self) -> None:
        atexit.unregister(self.stop)
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _announced_port(self) -> int:
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            announcement = self._announcement.search(self._log.read_text())
            if announcement:
                return int(announcement[1])
            time.sleep(_POLL_SECONDS)
        self.stop()
        raise RuntimeError(f"{self._process.args!r} does not listen:\n{self._log.read_text()[-_MAX_OUTPUT_LENGTH:]}")
