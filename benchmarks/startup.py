# SPDX-License-Identifier: Apache-2.0
"""Part ``start``: the time from the start of a collector to the first request of its first run."""

import datetime
import pathlib
import socket
import sys
import tempfile
import time

from benchmarks import targets
from benchmarks.cloud import CloudProcess
from benchmarks.cloud import CloudSize
from benchmarks.deployment import Deployment
from benchmarks.process import running_process
from benchmarks.results import BenchmarkResult
from benchmarks.results import Figure
from benchmarks.scale import Scale
from distil.tests.support import databases

_TIMEOUT_SECONDS = 60.0

_CONF = """[keystone_authtoken]
auth_type = password
auth_url = http://127.0.0.1:{port}/identity/v3
username = distil
password = none
project_name = service
user_domain_name = Default
project_domain_name = Default
"""


def measure_startup(scale: Scale) -> BenchmarkResult:
    """Start a periodic collector against a listener in place of Keystone."""
    with databases.database(databases.MYSQL) as url:
        rounds = [_measure(url) for _ in range(scale.rounds)]
    figure = Figure("time to the first request", "s", rounds, targets.FIRST_REQUEST_SECONDS)
    return BenchmarkResult([figure], [{"wall": seconds} for seconds in rounds])


def _measure(url: str) -> float:
    """Use a listener for each round, so that a late request of the previous collector cannot reach it."""
    now = datetime.datetime.now(datetime.UTC)
    with socket.create_server(("127.0.0.1", 0)) as listener, tempfile.TemporaryDirectory() as folder:
        listener.settimeout(_TIMEOUT_SECONDS)
        conf = _CONF.format(port=listener.getsockname()[1])
        deployment = Deployment(CloudProcess(CloudSize(0), now, conf), url, pathlib.Path(folder))
        return _seconds_to_request(listener, deployment.config)


def _seconds_to_request(listener: socket.socket, config: pathlib.Path) -> float:
    script = pathlib.Path(sys.executable).with_name("distil-collector")
    started = time.monotonic()
    with running_process([str(script), "--config-file", str(config)]) as process:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(_TIMEOUT_SECONDS)
            request = connection.recv(4096)
            seconds = time.monotonic() - started
        if b" /identity/v3" not in request:
            raise RuntimeError(f"the first request was not to Keystone: {request!r}")
        process.terminate()
        process.wait(_TIMEOUT_SECONDS)
    return seconds
