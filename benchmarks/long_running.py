# SPDX-License-Identifier: Apache-2.0
"""A collector's process that stays, as in operation, and starts a run on request."""

import contextlib
import datetime
import json
import pathlib
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

from benchmarks.process import running_process

# Prometheus's header.
_ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5"


class LongRunningCollector:
    """A running process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._metrics_url = f"http://127.0.0.1:{self._read_line()}/metrics"

    def cpu(self) -> float:
        """Return the CPU time of the process so far, in seconds."""
        seconds: float = self._request("cpu")
        return seconds

    def run(self, end: datetime.datetime) -> dict[str, Any]:
        """Collect up to a time.

        :returns: ``wall`` and ``cpu`` time in seconds, peak ``memory`` so far in MiB, numbers of ``windows`` and usage
            ``entries``.
        """
        cost: dict[str, Any] = self._request(f"run {end.isoformat()}")
        return cost

    def scrape(self) -> bytes:
        """Return the metrics, requested as Prometheus does."""
        request = urllib.request.Request(self._metrics_url, headers={"Accept": _ACCEPT})
        with urllib.request.urlopen(request) as response:
            body: bytes = response.read()
        return body

    def _request(self, command: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        return json.loads(self._read_line())

    def _read_line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the collector's process has ended")
        return line.strip()


@contextlib.contextmanager
def long_running_collector(config: pathlib.Path, series: int = 0) -> Iterator[LongRunningCollector]:
    """Run a process.

    :param config: its configuration file.
    :param series: number of usage series that its exporter has from the start.
    """
    command = [sys.executable, "-m", "benchmarks.long_running_process", str(config), str(series)]
    with running_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield LongRunningCollector(process)
