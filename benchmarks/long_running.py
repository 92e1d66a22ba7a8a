# SPDX-License-Identifier: Apache-2.0
"""A collector's process that stays, as in operation, and makes a run when it is told to."""

import contextlib
import datetime
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

from benchmarks.deployment import Site
from benchmarks.process import started


class Resident:
    """A process that runs."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._url = f"http://127.0.0.1:{self._line()}/metrics"

    def cpu(self) -> float:
        """Seconds that the process has used."""
        used: float = self._ask("cpu")
        return used

    def run(self, end: datetime.datetime) -> dict[str, Any]:
        """Collect up to a time.

        :returns: seconds, ``wall`` and ``cpu``, peak ``memory`` until now in MiB, numbers of ``windows`` and
            of usage ``entries``.
        """
        took: dict[str, Any] = self._ask(f"run {end.isoformat()}")
        return took

    def page(self) -> bytes:
        """One scrape, as Prometheus makes it."""
        accepted = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5"
        request = urllib.request.Request(self._url, headers={"Accept": accepted})
        with urllib.request.urlopen(request) as answer:
            body: bytes = answer.read()
        return body

    def _ask(self, words: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{words}\n")
        self._process.stdin.flush()
        return json.loads(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the collector's process ended")
        return line.strip()


@contextlib.contextmanager
def resident(its: Site, series: int = 0) -> Iterator[Resident]:
    """A process for a site.

    :param series: usage series that its exporter has from the beginning.
    """
    command = [sys.executable, "-m", "benchmarks.long_running_process", str(its.config), str(series)]
    with started(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Resident(process)
