# SPDX-License-Identifier: Apache-2.0
"""A sandbox cloud and a MariaDB database, and what runs between them, each in a process of its own."""

import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
import yaml

from distil.db import engine as db_engine
from distil.db import models
from distil.tests.functional import databases

HOUR = datetime.timedelta(hours=1)
ETC = pathlib.Path(__file__).parents[1] / "etc" / "distil"


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
        """The service project's, which uses nothing, too."""
        return (self.projects + 1) * self.windows


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a process took.

    :param wall: seconds; so is ``cpu``, user and system together.
    :param memory: peak resident set size, in MiB.
    """

    wall: float
    cpu: float
    memory: float


class Cloud:
    """A sandbox cloud that runs; usage begins at :attr:`start`.

    :param conf: sections of a configuration file that name it.
    """

    def __init__(self, size: Size, start: datetime.datetime, conf: str) -> None:
        self.size = size
        self.start = start
        self.end = start + size.windows * HOUR
        self.conf = conf
        options = dict(line.split(" = ", 1) for line in conf.splitlines() if " = " in line)
        self.options = options
        self.url = options["auth_url"].removesuffix("/identity/v3")

    def requests(self) -> int:
        """How many there were since the last time that somebody asked."""
        with urllib.request.urlopen(f"{self.url}/sandbox/requests") as answer:
            counts = json.load(answer)["requests"]
        clear = urllib.request.Request(f"{self.url}/sandbox/requests", method="DELETE")
        urllib.request.urlopen(clear).close()
        return sum(each["count"] for each in counts)


@contextlib.contextmanager
def cloud(size: Size) -> Iterator[Cloud]:
    """A cloud whose last hour of usage was over an hour ago."""
    now = datetime.datetime.now(datetime.UTC).replace(minute=0, second=0, microsecond=0)
    start = now - (size.windows + 1) * HOUR
    command = [sys.executable, "-m", "distil.sandbox", "serve", "--start", start.isoformat()]
    command += ["--projects", str(size.projects), "--resources", str(size.resources)]
    if size.latency:
        for service in ("identity", "metering", "compute", "block-storage", "image", "object-store"):
            command += ["--latency", f"{service}={size.latency}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline()]
            while not lines[-1].startswith("region_name"):  # the last one
                lines.append(process.stdout.readline())
            yield Cloud(size, start, "".join(lines))
        finally:
            process.terminate()


class Site:
    """A database for a cloud, and a configuration with both.

    :param url: of the database.
    """

    def __init__(self, its_cloud: Cloud, url: str, folder: pathlib.Path, **options: object) -> None:
        self.cloud = its_cloud
        self.url = url
        self.config = folder / "distil.conf"
        self.log = folder / "collector.log"
        collector = {
            "meter_mappings_file": ETC / "meter_mappings.yml",
            "transformer_file": ETC / "transformer.yml",
            "max_collection_start_age": (datetime.datetime.now(datetime.UTC) - its_cloud.start) // HOUR,
            "max_windows_per_cycle": its_cloud.size.windows,
            "trust_sources": "openstack, .{32}:TrafficAccounting",
            **options,
        }
        lines = [its_cloud.conf, "[DEFAULT]", f"log_file = {self.log}"]
        lines += ["[database]", f"connection = {url}"]
        lines += ["[collector]", *(f"{key} = {value}" for key, value in collector.items())]
        self.config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def collect(self, windows: int | None = None) -> Cost:
        """The whole of a collector's process that collects so many windows of each project, or all."""
        end = self.cloud.end if windows is None else self.cloud.start + windows * HOUR
        start = "import sys; from distil.cmd.start import main; sys.exit(main())"
        command = [sys.executable, "-c", start, "--config-file", str(self.config)]
        return run([*command, "--collect-end-time", end.isoformat()])[0]

    def floor(self, projects_together: int, windows_together: int) -> Cost:
        """The floor's cost, of the rows that :meth:`collect` stored.

        :param projects_together: how many projects a question is about; so does the other parameter for windows.
        """
        mappings = yaml.safe_load((ETC / "meter_mappings.yml").read_text())
        config = {
            "auth": {name: self.cloud.options[name] for name in self.cloud.options if name != "auth_type"},
            "start": self.cloud.start.isoformat(),
            "windows": self.cloud.size.windows,
            "projects_together": projects_together,
            "windows_together": windows_together,
            "meters": sorted({mapping["meter"] for mapping in mappings}),
            "from": self.url,
            "page_size": 10_000,
        }
        with databases.database(databases.MYSQL) as empty:
            _, said = run([sys.executable, "-m", "benchmarks.floor", json.dumps(config | {"to": empty})])
        return Cost(**json.loads(said))

    def count(self) -> int:
        """Usage entries."""
        engine = db_engine.create_engine(self.url)
        with engine.connect() as connection:
            number: int = connection.scalar(sa.select(sa.func.count()).select_from(models.usage_entry)) or 0
        engine.dispose()
        return number


@contextlib.contextmanager
def site(its_cloud: Cloud, **options: object) -> Iterator[Site]:
    """An empty database.

    :param options: of [collector].
    """
    with tempfile.TemporaryDirectory() as folder, databases.database(databases.MYSQL) as url:
        yield Site(its_cloud, url, pathlib.Path(folder), **options)


def run(command: Sequence[str]) -> tuple[Cost, str]:
    """What a command took and printed, as the kernel counts it.

    :raises RuntimeError: its status is not 0.
    """
    # An installation has bytecode; without it the imports alone take a second and a half more.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begun = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"status {process.returncode}: {' '.join(command)}\n{said}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024), said


def median(costs: Sequence[Any], field: str) -> float:
    """The median of one field of the costs."""
    values = sorted(getattr(each, field) for each in costs)
    middle = len(values) // 2
    return float(values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2)
