# SPDX-License-Identifier: Apache-2.0
"""A cloud with a MariaDB database, against which collectors and the baseline run."""

import contextlib
import datetime
import itertools
import json
import pathlib
import sys
import tempfile
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa
import yaml

from benchmarks.cloud import CloudProcess
from benchmarks.process import Cost
from benchmarks.process import run_measured
from distil.db import engine as db_engine
from distil.db import models
from distil.tests.support import databases
from distil.tests.support.site import ETC
from distil.tests.support.site import HOUR
from distil.tests.support.site import stay_away_from_the_hour

# max_collection_start_age counts from the collector's clock: one hour later it would skip the first window.
_MIN_SECONDS_TO_HOUR = 20

# Samples in a response of the baseline's: no limit.
_MAX_SAMPLES = 10_000_000


class BaselineRun(NamedTuple):
    """Cost of the baseline.

    :param counts: of ``samples`` and usage ``entries``.
    """

    cost: Cost
    counts: dict[str, int]


def write_configuration(
    folder: pathlib.Path,
    url: str,
    start: datetime.datetime,
    windows: int,
    sections: Mapping[str, Mapping[str, object]],
    collector: Mapping[str, object] | None = None,
) -> pathlib.Path:
    """Write a collector's configuration, and return its path.

    :param url: of the database.
    :param start: of the first window.
    :param windows: that are collected of each project.
    :param sections: those that refer to the cloud.
    :param collector: further options of [collector].
    """
    stay_away_from_the_hour(_MIN_SECONDS_TO_HOUR)
    options: dict[str, object] = {
        "meter_mappings_file": ETC / "meter_mappings.yml",
        "transformer_file": ETC / "transformer.yml",
        "max_collection_start_age": (datetime.datetime.now(datetime.UTC) - start) // HOUR,
        "max_windows_per_cycle": windows,
        "trust_sources": "openstack, .{32}:TrafficAccounting",
        # Only a long-running process starts it.
        "enable_exporter": True,
        "exporter_host": "127.0.0.1",
        "exporter_port": 0,
    }
    all_sections: dict[str, Mapping[str, object]] = {
        **sections,
        "DEFAULT": {"log_file": folder / "collector.log"},
        "database": {"connection": url},
        "collector": options | dict(collector or {}),
    }
    path = folder / "distil.conf"
    with path.open("w", encoding="utf-8") as file:
        for name, values in all_sections.items():
            file.write(f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items()))
    return path


class Deployment:
    """A configuration for a cloud and a database.

    :param url: of the database.
    :param folder: for configuration and log.
    :ivar config: path of the configuration file.
    """

    def __init__(self, cloud: CloudProcess, url: str, folder: pathlib.Path) -> None:
        self.cloud = cloud
        self._url = url
        authentication = {"keystone_authtoken": cloud.options}
        self.config = write_configuration(folder, url, cloud.start, cloud.size.windows, authentication)

    def end(self, windows: int) -> datetime.datetime:
        """Return the end of the first windows."""
        return self.cloud.start + windows * HOUR

    def run_collectors(self, windows: int, prefixes: Sequence[Sequence[str]] = ((),)) -> Cost:
        """Collect the first windows of every project that are not collected yet, and return the cost.

        :param prefixes: of the command line of each process.
        """
        command = [sys.executable, "-m", "benchmarks.collector_process", "--config-file", str(self.config)]
        command += ["--collect-end-time", self.end(windows).isoformat()]
        return run_measured(*[[*prefix, *command] for prefix in prefixes]).cost

    def run_baseline(self, skipped: int, projects_per_query: int, windows_per_query: int) -> BaselineRun:
        """Run the baseline with the rows that :meth:`run_collectors` stored.

        :param skipped: number of first windows to leave out.
        """
        mappings = yaml.safe_load((ETC / "meter_mappings.yml").read_text(encoding="utf-8"))
        ends = [self.end(number) for number in range(skipped, self.cloud.size.windows + 1)]
        config: dict[str, Any] = {
            "auth": {name: self.cloud.options[name] for name in self.cloud.options if name != "auth_type"},
            "windows": [(start.isoformat(), end.isoformat()) for start, end in itertools.pairwise(ends)],
            "projects_per_query": projects_per_query,
            "windows_per_query": windows_per_query,
            "meters": sorted({mapping["meter"] for mapping in mappings}),
            "from": self._url,
            "limit": _MAX_SAMPLES,
        }
        with databases.database(databases.MYSQL) as empty:
            cost, (output,) = run_measured(
                [sys.executable, "-m", "benchmarks.baseline", json.dumps(config | {"to": empty})]
            )
        # Its own figures: they exclude startup and the reading of the rows.
        return BaselineRun(Cost(output["wall"], output["cpu"], output["memory"], cost.machine), output["counts"])

    def count_entries(self) -> int:
        """Return the number of stored usage entries."""
        engine = db_engine.create_engine(self._url)
        with engine.connect() as connection:
            number: int = connection.scalar(sa.select(sa.func.count()).select_from(models.usage_entry)) or 0
        engine.dispose()
        return number


@contextlib.contextmanager
def deployed(cloud: CloudProcess) -> Iterator[Deployment]:
    """Deploy a cloud with an empty database."""
    with tempfile.TemporaryDirectory() as folder, databases.database(databases.MYSQL) as url:
        yield Deployment(cloud, url, pathlib.Path(folder))
