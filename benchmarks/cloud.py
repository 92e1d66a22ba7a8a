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

from benchmarks.process import running_process
from distil.sandbox.data.meters import METERS
from distil.sandbox.data.meters import TICKS_PER_HOUR
from distil.sandbox.http.response_fault import SERVICES
from distil.tests.support.site import HOUR


@dataclasses.dataclass(frozen=True)
class CloudSize:
    """Size of a cloud and its samples.

    :param resources: number of resources of each project for each meter.
    :param windows: hours of samples.
    :param latency: seconds before each response of every service.
    """

    projects: int
    resources: int = 5
    windows: int = 12
    latency: float = 0.0

    @property
    def project_windows(self) -> int:
        """Project-windows in an hour, including that of the service project, which has no samples."""
        return self.projects + 1

    @property
    def samples(self) -> int:
        """Samples in an hour."""
        return self.projects * self.resources * len(METERS) * TICKS_PER_HOUR


class CloudProcess:
    """A running sandbox cloud.

    :param start: time of the first samples.
    :param conf: section of a configuration file that refers to it.
    :ivar options: of that section, [keystone_authtoken].
    """

    def __init__(self, size: CloudSize, start: datetime.datetime, conf: str) -> None:
        self.size = size
        self.start = start
        self.options = dict(line.split(" = ", 1) for line in conf.splitlines() if " = " in line)
        self._url = self.options["auth_url"].removesuffix("/identity/v3")

    def reset_request_counts(self) -> dict[str, int]:
        """Return the number of requests by service since the last reset, and reset the counts."""
        with urllib.request.urlopen(f"{self._url}/sandbox/requests") as response:
            counts = json.load(response)["requests"]
        urllib.request.urlopen(urllib.request.Request(f"{self._url}/sandbox/requests", method="DELETE")).close()
        totals: Counter[str] = Counter()
        for entry in counts:
            totals[entry["service"]] += entry["count"]
        return dict(totals)


@contextlib.contextmanager
def running_cloud(size: CloudSize) -> Iterator[CloudProcess]:
    """Run a cloud whose last hour of samples ended more than an hour ago."""
    now = datetime.datetime.now(datetime.UTC).replace(minute=0, second=0, microsecond=0)
    start = now - (size.windows + 1) * HOUR
    command = [sys.executable, "-m", "distil.sandbox", "serve", "--start", start.isoformat()]
    command += ["--projects", str(size.projects), "--resources", str(size.resources)]
    if size.latency:
        for service in SERVICES:
            command += ["--latency", f"{service}={size.latency}"]
    with running_process(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        while not lines[-1].startswith("region_name"):  # the last line
            if not lines[-1]:
                raise RuntimeError("sandbox cloud did not start")
            lines.append(process.stdout.readline())
        yield CloudProcess(size, start, "".join(lines))
