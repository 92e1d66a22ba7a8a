# SPDX-License-Identifier: Apache-2.0
"""A sandbox cloud in a process of its own."""

import contextlib
import dataclasses
import datetime
import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator

from benchmarks.process import started
from distil.sandbox.data.meters import METERS
from distil.sandbox.data.meters import TICKS_PER_HOUR
from distil.sandbox.http.faults import SERVICES

HOUR = datetime.timedelta(hours=1)


@dataclasses.dataclass(frozen=True)
class Size:
    """Of a cloud and of its usage.

    :param resources: of each project, for each meter.
    :param windows: hours of usage.
    :param latency: seconds before each answer of every service.
    """

    projects: int
    resources: int = 5
    windows: int = 12
    latency: float = 0.0

    @property
    def project_windows(self) -> int:
        """In an hour: the service project's, which uses nothing, too."""
        return self.projects + 1

    @property
    def samples(self) -> int:
        """In an hour."""
        return self.projects * self.resources * len(METERS) * TICKS_PER_HOUR


class Cloud:
    """A sandbox cloud that runs; usage begins at :attr:`start`.

    :param conf: sections of a configuration file that name it.
    """

    def __init__(self, size: Size, start: datetime.datetime, conf: str) -> None:
        self.size = size
        self.start = start
        self.conf = conf
        self.options = dict(line.split(" = ", 1) for line in conf.splitlines() if " = " in line)
        self._url = self.options["auth_url"].removesuffix("/identity/v3")

    def requests(self) -> dict[str, int]:
        """How many there were of each service since the last time that somebody asked."""
        with urllib.request.urlopen(f"{self._url}/sandbox/requests") as answer:
            counts = json.load(answer)["requests"]
        urllib.request.urlopen(urllib.request.Request(f"{self._url}/sandbox/requests", method="DELETE")).close()
        total: Counter[str] = Counter()
        for each in counts:
            total[each["service"]] += each["count"]
        return dict(total)


@contextlib.contextmanager
def cloud(size: Size) -> Iterator[Cloud]:
    """A cloud the last hour of whose usage was over an hour ago."""
    now = datetime.datetime.now(datetime.UTC).replace(minute=0, second=0, microsecond=0)
    start = now - (size.windows + 1) * HOUR
    command = [sys.executable, "-m", "distil.sandbox", "serve", "--start", start.isoformat()]
    command += ["--projects", str(size.projects), "--resources", str(size.resources)]
    if size.latency:
        for service in SERVICES:
            command += ["--latency", f"{service}={size.latency}"]
    with started(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        while not lines[-1].startswith("region_name"):  # the last one
            if not lines[-1]:
                raise RuntimeError("the sandbox cloud did not start")
            lines.append(process.stdout.readline())
        yield Cloud(size, start, "".join(lines))
