# SPDX-License-Identifier: Apache-2.0
"""PgBouncer between a test and PostgreSQL."""

import contextlib
import os
import pathlib
import subprocess
import tempfile
from collections.abc import Iterator

import sqlalchemy as sa

from distil.tests.support import requirements
from distil.tests.support.processes import free_port
from distil.tests.support.processes import terminate
from distil.tests.support.processes import wait_for

_CONFIGURATION = """
[databases]
* = host={host} port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {pool_size}
logfile = {folder}/pgbouncer.log
"""


@contextlib.contextmanager
def pgbouncer(database: str, pool_size: int = 3) -> Iterator[str]:
    """Provide the URL of a PgBouncer in transaction mode, through which the database is reached.

    :param database: URL of a PostgreSQL database, with its password.
    :param pool_size: number of the server's connections, which all clients share.
    :raises unittest.SkipTest: it is not installed; in CI (the environment variable) that is an AssertionError.
    """
    program = requirements.program("pgbouncer")
    server, port = sa.make_url(database), free_port()
    with tempfile.TemporaryDirectory() as directory:
        folder = pathlib.Path(directory)
        # It refuses to run as root, and the user that it runs as has to read and write here.
        folder.chmod(0o777)
        (folder / "users").write_text(f'"{server.username}" "{server.password}"\n')
        values = {"host": server.host, "server_port": server.port or 5432, "port": port, "pool_size": pool_size}
        (folder / "pgbouncer.ini").write_text(_CONFIGURATION.format(folder=folder, **values))
        process = subprocess.Popen(
            [program, "--quiet", str(folder / "pgbouncer.ini")], user="nobody" if os.geteuid() == 0 else None
        )
        try:
            wait_for(lambda: "process up" in _read(folder / "pgbouncer.log"), 30)
            yield server.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        finally:
            terminate(process)


def _read(path: pathlib.Path) -> str:
    return path.read_text() if path.exists() else ""
