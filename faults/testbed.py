# SPDX-License-Identifier: Apache-2.0
"""What trials share: a sandbox cloud, a database, a fork server, and the results of fault-free runs."""

import contextlib
import datetime
import json
import pathlib
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from distil.collector.plan import floor
from distil.db import engine as db_engine
from distil.db import models
from distil.sandbox.cloud import Cloud
from distil.tests.support import databases
from distil.tests.support.site import ETC
from distil.tests.support.site import HOUR
from distil.tests.support.site import stay_away_from_the_hour
from faults.actions import Fault
from faults.fork_server import CollectorProcess
from faults.fork_server import ForkServer
from faults.fork_server import running_fork_server
from faults.instrumentation import FaultPoint
from faults.mariadb import MariaDBServer
from faults.stored_rows import StoredRows

WINDOWS = 2
_MIN_SECONDS_TO_HOUR = 30


class GoldenRun(NamedTuple):
    """A fault-free run with which trials are compared.

    :param points: fault points that it reached, in order.
    """

    points: list[FaultPoint]
    rows: StoredRows


class Testbed:
    """Runs collectors against one cloud and one database, on which trials follow each other.

    :param seed: of the cloud.
    :param start: of the first window; :data:`WINDOWS` windows have samples.
    :param url: of the database.
    :param folder: for configuration and reports.
    :param server: private database server; None if other tests use the server too.
    :ivar golden_runs: by number of windows collected.
    """

    def __init__(
        self,
        seed: int,
        cloud: Cloud,
        start: datetime.datetime,
        url: str,
        folder: pathlib.Path,
        fork_server: ForkServer,
        server: MariaDBServer | None,
    ) -> None:
        self.seed = seed
        self.cloud = cloud
        self.folder = folder
        self.server = server
        self.engine = db_engine.create_engine(url, max_retries=0)
        self.start_time = start
        self._url = url
        self._config = folder / "distil.conf"
        self._fork_server = fork_server
        self.golden_runs = {windows: self._run_fault_free(windows) for windows in range(1, WINDOWS + 1)}

    @property
    def points(self) -> list[FaultPoint]:
        """Fault points of the golden run over all windows."""
        return self.golden_runs[WINDOWS].points

    @property
    def expected_rows(self) -> StoredRows:
        """Rows of the golden run over all windows."""
        return self.golden_runs[WINDOWS].rows

    def start(
        self,
        windows: int = WINDOWS,
        fault: Fault | None = None,
        report: pathlib.Path | None = None,
        concurrency: int = 1,
    ) -> CollectorProcess:
        """Start a collector that collects the first windows and ends.

        :param concurrency: number of threads; only with one do all runs reach the same fault points.
        """
        self._write_config(concurrency=concurrency)
        end = self.start_time + windows * HOUR
        arguments = ["--config-file", str(self._config), "--collect-end-time", end.isoformat()]
        return self._fork_server.start(arguments, fault, report)

    def start_periodic(self, fault: Fault | None = None) -> CollectorProcess:
        """Start a collector with a run every two seconds until terminated."""
        self._write_config(periodic_interval=2, concurrency=1)
        return self._fork_server.start(["--config-file", str(self._config)], fault)

    def manage(
        self, *arguments: str, fault: Fault | None = None, report: pathlib.Path | None = None
    ) -> CollectorProcess:
        """Start a command of distil-manage."""
        command = ["--config-file", str(self._config), *arguments]
        return self._fork_server.start(command, fault, report, program="distil-manage")

    def preload(self, report: pathlib.Path) -> list[FaultPoint]:
        """Have the processes that follow start with the modules that one has imported, and return its fault points."""
        document = json.loads(report.read_text())
        self._fork_server.request("import", modules=document["modules"])
        return [FaultPoint(*point) for point in document["points"]]

    def is_complete(self) -> bool:
        """Whether every window of every project is stored."""
        return self.stored_rows().last_collected() == self.expected_rows.last_collected()

    def recover(self) -> list[str]:
        """Remove faults, expire leases, and have a new collector collect the rest.

        :return: problems of that collector.
        """
        self.cloud.faults.clear()
        self.expire_leases()
        collector = self.start()
        collector.wait()
        return collector.problems(0)

    def expire_leases(self) -> None:
        """Age all leases by a day."""
        table = models.project_locks.name
        with self.engine.begin() as connection:
            columns = {column["name"] for column in sa.inspect(connection).get_columns(table)}
            aged = ", ".join(f"{name} = {name} - INTERVAL 1 DAY" for name in ("created", "expires") if name in columns)
            # A row locked by a paused collector cannot be updated.
            unlocked = connection.scalars(sa.text(f"SELECT project_id FROM {table} FOR UPDATE SKIP LOCKED")).all()
            for project_id in unlocked:
                connection.execute(sa.text(f"UPDATE {table} SET {aged} WHERE project_id = :id"), {"id": project_id})

    def reset(self) -> None:
        """Kill all collectors, remove faults and empty all tables."""
        self._fork_server.kill_all()
        self.cloud.faults.clear()
        with self.engine.begin() as connection:
            for table in reversed(models.metadata.sorted_tables):
                connection.execute(sa.delete(table))

    def stored_rows(self) -> StoredRows:
        return StoredRows.read(self.engine)

    def is_outdated(self) -> bool:
        """Whether a further window has ended, which a periodic collector would collect."""
        return datetime.datetime.now(datetime.UTC) >= self.start_time + (WINDOWS + 1) * HOUR

    def _write_config(self, **collector: object) -> None:
        # max_collection_start_age counts from the collector's clock: one hour later it would skip the first window.
        stay_away_from_the_hour(_MIN_SECONDS_TO_HOUR)
        options: dict[str, object] = {
            "meter_mappings_file": ETC / "meter_mappings.yml",
            "transformer_file": ETC / "transformer.yml",
            "max_collection_start_age": (datetime.datetime.now(datetime.UTC) - self.start_time) // HOUR,
            "max_windows_per_cycle": WINDOWS,
            "trust_sources": "openstack, .{32}:TrafficAccounting",
        }
        database = {
            "connection": self._url,
            # Shorter than the defaults of 50 s for a lock and 10 s between attempts to connect.
            "connection_parameters": "init_command=SET innodb_lock_wait_timeout=1",
            "retry_interval": 1,
        }
        authentication = {"auth_type": "password", "timeout": 2, **self.cloud.auth()}
        sections = {"database": database, "collector": options | collector, "keystone_authtoken": authentication}
        with self._config.open("w") as file:
            for name, values in sections.items():
                file.write(f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items()))

    def _run_fault_free(self, windows: int) -> GoldenRun:
        """Run twice, and keep the second run: like every trial it does not import modules any more."""
        report = self.folder / "report.json"
        for _ in range(2):
            self.reset()
            collector = self.start(windows, report=report)
            collector.wait()
            if problems := collector.problems(0):
                raise AssertionError(f"fault-free run failed: {problems}")
            points = self.preload(report)
        return GoldenRun(points, self.stored_rows())


@contextlib.contextmanager
def running_testbed(seed: int, server: MariaDBServer | None = None) -> Iterator[Testbed]:
    """Set up a testbed.

    :param seed: of the cloud.
    :param server: private database server; None for the one that tests share.
    """
    start = floor(datetime.datetime.now(datetime.UTC)) - WINDOWS * HOUR
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = server.url if server else stack.enter_context(databases.database(databases.MYSQL))
        cloud = Cloud(seed=seed, projects=2, resources=2, start=start, end=start + WINDOWS * HOUR)
        stack.enter_context(cloud)
        inject_samples(cloud, start)
        fork_server = stack.enter_context(running_fork_server(folder, seed))
        testbed = Testbed(seed, cloud, start, url, folder, fork_server, server)
        stack.callback(testbed.engine.dispose)
        yield testbed


def inject_samples(cloud: Cloud, start: datetime.datetime) -> None:
    """Inject into each window a sample that is rejected, a resource whose info changes, and a project without usage.

    Of that project only rejected samples are stored: only its last collected time prevents storing a window twice.
    """
    first, service = cloud.projects.enabled_ids[0], cloud.projects.service_id
    for window in range(WINDOWS):
        sample = {
            "id": f"sample-{window}",
            "project_id": first,
            "meter": "ip.floating",
            "resource_id": "changing",
            "timestamp": (start + window * HOUR).replace(tzinfo=None).isoformat(),
            "volume": 1,
            "unit": "ip",
            "source": "openstack",
            "metadata": {"floating_ip_address": f"203.0.113.{window}"},
        }
        invalid = {**sample, "id": f"invalid-{window}", "volume": "not a number"}
        cloud.add_samples(first, "ip.floating", [sample, invalid])
        cloud.add_samples(service, "ip.floating", [{**invalid, "project_id": service}])
