# SPDX-License-Identifier: Apache-2.0
"""A MariaDB server of one's own, to be killed, restarted and forbidden to write."""

import contextlib
import os
import pathlib
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
from typing import Any
from typing import Self

import pymysql

from distil.db import engine as db_engine
from distil.db import migration

_SECONDS = 60
_DATABASE = "distil"
# An operator's account: without SUPER and READ_ONLY ADMIN, so that read_only counts.
_ACCOUNT = (
    f"CREATE DATABASE {_DATABASE} CHARACTER SET utf8mb4",
    "CREATE USER distil@'127.0.0.1' IDENTIFIED BY 'distil'",
    f"GRANT ALL ON {_DATABASE}.* TO distil@'127.0.0.1'",
)
_OPTIONS = (
    "--no-defaults",
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=16M",
    "--performance-schema=OFF",
)


class Server(contextlib.ExitStack):
    """A server with the newest tables in one database, for the duration of a ``with``.

    :raises unittest.SkipTest: MariaDB is not installed; in CI (the environment variable) that is an AssertionError.
    """

    def __enter__(self) -> Self:
        self._program = _program("mariadbd")
        self._folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory(prefix="mariadb-")))
        self._data, self._socket = self._folder / "data", self._folder / "socket"
        self._port = _free_port()
        self._user = pwd.getpwuid(os.geteuid()).pw_name
        self._install()
        self._process = self._launch()
        self.callback(self.kill)
        self._wait()
        for statement in _ACCOUNT:
            self.execute(statement)
        engine = db_engine.create_engine(self.url)
        migration.upgrade(engine)
        engine.dispose()
        return self

    @property
    def url(self) -> str:
        return f"mysql+pymysql://distil:distil@127.0.0.1:{self._port}/{_DATABASE}"

    def kill(self) -> None:
        """As a power failure would."""
        self._process.kill()
        self._process.wait()

    def shut_down(self) -> None:
        self._process.terminate()
        self._process.wait(_SECONDS)

    def start(self) -> None:
        """Start it again; it answers when this returns."""
        self._process = self._launch()
        self._wait()

    def execute(self, statement: str, *, lock_wait: int = 1) -> None:
        """As its administrator.

        :param lock_wait: seconds to wait for other sessions.
        """
        with contextlib.closing(self._administer()) as connection, connection.cursor() as cursor:
            cursor.execute(f"SET lock_wait_timeout = {lock_wait}")
            cursor.execute(statement)

    def _install(self) -> None:
        command = [_program("mariadb-install-db"), "--no-defaults", "--auth-root-authentication-method=normal"]
        command += ["--skip-test-db", f"--datadir={self._data}", f"--user={self._user}"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            raise AssertionError(f"mariadb-install-db failed: {done.stdout[-2000:]}")

    def _launch(self) -> "subprocess.Popen[bytes]":
        places = [f"--datadir={self._data}", f"--socket={self._socket}", f"--port={self._port}", f"--user={self._user}"]
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen([self._program, *_OPTIONS, *places], stdout=log, stderr=log)

    def _wait(self) -> None:
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                self._administer().close()
            except pymysql.err.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log = (self._folder / "log").read_text()[-2000:]
                    raise AssertionError(f"mariadbd does not answer ({error}): {log}") from error
                time.sleep(0.02)
            else:
                return

    def _administer(self) -> Any:
        return pymysql.connect(unix_socket=str(self._socket), user="root", autocommit=True)


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        message = f"{name} is not installed: no server can be restarted in mid-run"
        if os.environ.get("CI"):
            raise AssertionError(f"{message}; CI is set")
        raise unittest.SkipTest(message)
    return found


def _free_port() -> int:
    """Below the range from which the system gives ports to clients, one of which could have it at a restart."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
