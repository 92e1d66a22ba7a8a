# SPDX-License-Identifier: Apache-2.0
"""Coordination backends for a single test."""

import pathlib
import signal
import subprocess
import urllib.parse

import redis

from distil.tests.support import requirements
from distil.tests.support.processes import free_port
from distil.tests.support.processes import wait_for

# Seconds without a heartbeat after which a member has left.
HEARTBEAT = 3


class Redis:
    """A Redis server that a test can stop and start again.

    :param folder: for its log.
    :param password: that it requires.
    :raises unittest.SkipTest: it is not installed; in CI (the environment variable) that is an AssertionError.
    """

    def __init__(self, folder: pathlib.Path, password: str = "secret-word") -> None:
        self._program = requirements.program("redis-server")
        self._folder = folder
        self.port = free_port()
        self._password = password
        self.url = f"redis://:{urllib.parse.quote(password, safe='')}@127.0.0.1:{self.port}?timeout={HEARTBEAT}"
        self.start()

    def start(self) -> None:
        command = [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", "."]
        with (self._folder / "redis.log").open("a") as log:
            self._process = subprocess.Popen(
                [*command, "--requirepass", self._password], cwd=self._folder, stdout=log, stderr=log
            )
        wait_for(self._is_ready, 30)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def _is_ready(self) -> bool:
        try:
            with redis.Redis(port=self.port, password=self._password) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False
