# SPDX-License-Identifier: Apache-2.0
"""A private MariaDB server, to be killed, restarted and made read-only."""

import contextlib
import os
import pathlib
import pwd
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import pymysql

from distil.db import engine as db_engine
from distil.db import migration
from distil.tests.support import requirements
from distil.tests.support.processes import free_port

_TIMEOUT_SECONDS = 60
_POLL_SECONDS = 0.02
_DATABASE = "distil"
# The collector's account lacks SUPER and READ_ONLY ADMIN, as an operator's does, so that read_only applies to it.
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


class MariaDBServer:
    """A server that can be stopped and restarted.

    :param program: path of ``mariadbd``.
    :param folder: for data, socket and log; ``data`` has been initialized.
    """

    def __init__(self, program: str, folder: pathlib.Path, port: int) -> None:
        self._program = program
        self._folder = folder
        self._port = port
        self._process = self._launch()

    @property
    def url(self) -> str:
        """Of the database, password included."""
        return f"mysql+pymysql://distil:distil@127.0.0.1:{self._port}/{_DATABASE}"

    def kill(self) -> None:
        """Stop it without a shutdown, as a power failure does."""
        self._process.kill()
        self._process.wait()

    def shut_down(self) -> None:
        self._process.terminate()
        self._process.wait(_TIMEOUT_SECONDS)

    def start(self) -> None:
        """Start it again, and wait until it accepts connections."""
        self._process = self._launch()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until it accepts connections.

        :raises AssertionError: it has ended, or does not within 60 s.
        """
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while True:
            try:
                self._connect_as_root().close()
            except pymysql.err.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log = (self._folder / "log").read_text()[-2000:]
                    raise AssertionError(f"mariadbd accepts no connections ({error}): {log}") from error
                time.sleep(_POLL_SECONDS)
            else:
                return

    def execute(self, statement: str, *, lock_wait: int = 1) -> None:
        """Execute a statement as root.

        :param lock_wait: seconds to wait for locks of other sessions.
        """
        with contextlib.closing(self._connect_as_root()) as connection, connection.cursor() as cursor:
            cursor.execute(f"SET lock_wait_timeout = {lock_wait}")
            cursor.execute(statement)

    def _launch(self) -> "subprocess.Popen[bytes]":
        paths = [f"--datadir={self._folder / 'data'}", f"--socket={self._folder / 'socket'}"]
        command = [self._program, *_OPTIONS, *paths, f"--port={self._port}", f"--user={_user()}"]
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    def _connect_as_root(self) -> Any:
        return pymysql.connect(unix_socket=str(self._folder / "socket"), user="root", autocommit=True)


@contextlib.contextmanager
def running_mariadb() -> Iterator[MariaDBServer]:
    """Run a server with one database at the newest revision.

    :raises unittest.SkipTest: MariaDB is not installed; with ``CI`` in the environment an AssertionError instead.
    """
    program = requirements.program("mariadbd")
    with tempfile.TemporaryDirectory(prefix="mariadb-") as name:
        folder = pathlib.Path(name)
        _initialize(folder / "data")
        server = MariaDBServer(program, folder, free_port())
        try:
            server.wait_until_ready()
            for statement in _ACCOUNT:
                server.execute(statement)
            engine = db_engine.create_engine(server.url)
            migration.upgrade(engine)
            engine.dispose()
            yield server
        finally:
            server.kill()


def _initialize(data: pathlib.Path) -> None:
    command = [requirements.program("mariadb-install-db"), "--no-defaults", "--auth-root-authentication-method=normal"]
    command += ["--skip-test-db", f"--datadir={data}", f"--user={_user()}"]
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if process.returncode:
        raise AssertionError(f"mariadb-install-db failed: {process.stdout[-2000:]}")


def _user() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name
