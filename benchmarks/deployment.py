# SPDX-License-Identifier: Apache-2.0
"""A cloud, a MariaDB database, and collectors and the floor between them."""

import contextlib
import datetime
import json
import pathlib
import sys
import tempfile
import time
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
import yaml

from benchmarks.cloud import HOUR
from benchmarks.cloud import Cloud
from benchmarks.process import ROOT
from benchmarks.process import Cost
from benchmarks.process import run
from distil.db import engine as db_engine
from distil.db import models
from distil.tests.support import databases

ETC = ROOT / "etc" / "distil"

# Seconds before a full hour in which nothing is begun: a collector's first run counts hours back from its start.
_SHORTLY = 20

# Samples in an answer: all there are.
_NO_LIMIT = 10_000_000


class Site:
    """A database for a cloud, and a configuration with both.

    :param url: of the database.
    """

    def __init__(self, its_cloud: Cloud, url: str, folder: pathlib.Path) -> None:
        self.cloud = its_cloud
        self.url = url
        self.config = folder / "distil.conf"
        collector = {
            "meter_mappings_file": ETC / "meter_mappings.yml",
            "transformer_file": ETC / "transformer.yml",
            "max_collection_start_age": (_away_from_the_hour() - its_cloud.start) // HOUR,
            "max_windows_per_cycle": its_cloud.size.windows,
            "trust_sources": "openstack, .{32}:TrafficAccounting",
            # Only a process that goes on has one.
            "enable_exporter": True,
            "exporter_host": "127.0.0.1",
            "exporter_port": 0,
        }
        lines = [its_cloud.conf, "[DEFAULT]", f"log_file = {folder / 'collector.log'}"]
        lines += ["[database]", f"connection = {url}"]
        lines += ["[collector]", *(f"{key} = {value}" for key, value in collector.items())]
        self.config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def end(self, windows: int) -> datetime.datetime:
        """Of the first so many windows."""
        return self.cloud.start + windows * HOUR

    def collect(self, windows: int, beginnings: Sequence[Sequence[str]] = ((),)) -> Cost:
        """The whole of collectors' processes that collect the first so many windows of every project, if not done.

        :param beginnings: of the command line of each process.
        """
        command = [sys.executable, "-m", "benchmarks.collector_process", "--config-file", str(self.config)]
        command += ["--collect-end-time", self.end(windows).isoformat()]
        return run(*[[*beginning, *command] for beginning in beginnings])[0]

    def floor(self, before: int, projects_together: int, windows_together: int) -> tuple[Cost, dict[str, int]]:
        """The floor's cost, of rows that :meth:`collect` stored, and its numbers of samples and of entries.

        :param before: number of windows that are left out.
        :param projects_together: how many projects a question is about; so does the other parameter for windows.
        """
        mappings = yaml.safe_load((ETC / "meter_mappings.yml").read_text(encoding="utf-8"))
        config: dict[str, Any] = {
            "auth": {name: self.cloud.options[name] for name in self.cloud.options if name != "auth_type"},
            "start": self.end(before).isoformat(),
            "windows": self.cloud.size.windows - before,
            "projects_together": projects_together,
            "windows_together": windows_together,
            "meters": sorted({mapping["meter"] for mapping in mappings}),
            "from": self.url,
            "limit": _NO_LIMIT,
        }
        with databases.database(databases.MYSQL) as empty:
            cost, (said,) = run([sys.executable, "-m", "benchmarks.baseline", json.dumps(config | {"to": empty})])
        # Its own start, and the reading of what it is to store, do not count.
        return Cost(said["wall"], said["cpu"], said["memory"], cost.machine), said["counts"]

    def entries(self) -> int:
        """The number of usage entries."""
        engine = db_engine.create_engine(self.url)
        with engine.connect() as connection:
            number: int = connection.scalar(sa.select(sa.func.count()).select_from(models.usage_entry)) or 0
        engine.dispose()
        return number


@contextlib.contextmanager
def site(its_cloud: Cloud) -> Iterator[Site]:
    """An empty database."""
    with tempfile.TemporaryDirectory() as folder, databases.database(databases.MYSQL) as url:
        yield Site(its_cloud, url, pathlib.Path(folder))


def _away_from_the_hour() -> datetime.datetime:
    """Now, or soon."""
    now = datetime.datetime.now(datetime.UTC)
    left = HOUR.total_seconds() - now.minute * 60 - now.second
    if left > _SHORTLY:
        return now
    time.sleep(left)
    return datetime.datetime.now(datetime.UTC)
