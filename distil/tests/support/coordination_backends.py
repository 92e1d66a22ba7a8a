# SPDX-License-Identifier: Apache-2.0
"""Coordination backends of the tests' own."""

import os
import pathlib
import shutil
import signal
import subprocess
import unittest

import redis

from distil.tests.support.site import free_port
from distil.tests.support.site import wait_for

# Seconds after which a member that says nothing is dead.
HEARTBEAT = 3


class Redis:
    """A redis that a test can take away and bring back.

    :param folder: for its log.
    :raises unittest.SkipTest: it is not installed; in CI (the environment variable) that is an AssertionError.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        if shutil.which("redis-server") is None:
            message = "redis-server is not installed"
            if os.environ.get("CI"):
                raise AssertionError(f"{message}, and CI is set")
            raise unittest.SkipTest(message)
        self._folder = folder
        self.port = free_port()
        self.url = f"redis://:secret-word@127.0.0.1:{self.port}?timeout={HEARTBEAT}"
        self.start()

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", "."]
        with (self._folder / "redis.log").open("a") as log:
            self._process = subprocess.Popen(
                [*command, "--requirepass", "secret-word"], cwd=self._folder, stdout=log, stderr=log
            )
        wait_for(self._answers, 30)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            with redis.Redis(port=self.port, password="secret-word") as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False
