# SPDX-License-Identifier: Apache-2.0
"""How long a collector takes from its start to the first request of its first run."""

import datetime
import pathlib
import socket
import sys
import tempfile
import time

from benchmarks.cloud import Cloud
from benchmarks.cloud import Size
from benchmarks.deployment import Site
from benchmarks.process import started
from benchmarks.results import Figure
from benchmarks.results import Result
from benchmarks.scale import Scale
from distil.tests.support import databases

# Seconds.
WALL = 2.0
_PATIENCE = 60.0

_CONF = """[keystone_authtoken]
auth_type = password
auth_url = http://127.0.0.1:{port}/identity/v3
username = distil
password = none
project_name = service
user_domain_name = Default
project_domain_name = Default
"""


def start(scale: Scale) -> Result:
    """The process that runs for ever, with a listener in Keystone's place."""
    with databases.database(databases.MYSQL) as url:
        rounds = [_round(url) for _ in range(scale.rounds)]
    return Result([Figure("time to the first request", "s", rounds, WALL)], [{"wall": each} for each in rounds])


def _round(url: str) -> float:
    """With a listener of its own: what one still asks while it ends must not be the next one's first."""
    now = datetime.datetime.now(datetime.UTC)
    with socket.create_server(("127.0.0.1", 0)) as listener, tempfile.TemporaryDirectory() as folder:
        listener.settimeout(_PATIENCE)
        conf = _CONF.format(port=listener.getsockname()[1])
        return _seconds(listener, Site(Cloud(Size(0), now, conf), url, pathlib.Path(folder)).config)


def _seconds(listener: socket.socket, config: pathlib.Path) -> float:
    script = pathlib.Path(sys.executable).with_name("distil-collector")
    begun = time.monotonic()
    with started([str(script), "--config-file", str(config)]) as process:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(_PATIENCE)
            said = connection.recv(4096)
            seconds = time.monotonic() - begun
        if b" /identity/v3" not in said:
            raise RuntimeError(f"the first request is none of Keystone's: {said!r}")
        process.terminate()
        process.wait(_PATIENCE)
    return seconds
