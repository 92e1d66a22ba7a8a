# SPDX-License-Identifier: Apache-2.0
"""A sandbox cloud, a database, a warm process, and the rows of a run that nothing disturbs."""

import contextlib
import datetime
import json
import pathlib
import tempfile
from typing import NamedTuple
from typing import Self

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
from faults.fork_server import Member
from faults.fork_server import Warm
from faults.instrumentation import Point
from faults.mariadb import Server
from faults.stored_rows import Rows

WINDOWS = 2
_AWAY_FROM_THE_HOUR = 30


class Passage(NamedTuple):
    """A point that an undisturbed run up to the end of the first window, or of the last one, passes."""

    points: list[Point]
    rows: Rows


class World(contextlib.ExitStack):
    """Everything that trials need, for the duration of a ``with``. Trials follow each other on one database.

    :param seed: of the cloud.
    :param server: one of its own; None is the one that all tests share.
    :ivar passages: by number of windows.
    """

    def __init__(self, seed: int, server: Server | None = None) -> None:
        super().__init__()
        self.seed = seed
        self._begin = floor(datetime.datetime.now(datetime.UTC)) - WINDOWS * HOUR
        end = self._begin + WINDOWS * HOUR
        self.cloud = Cloud(seed=seed, projects=2, resources=2, start=self._begin, end=end)
        self.server = server
        self.passages: dict[int, Passage] = {}

    def __enter__(self) -> Self:
        self.folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))
        if self.server is None:
            self.url = self.enter_context(databases.database(databases.MYSQL))
        else:
            self.url = self.server.url
        self.engine = db_engine.create_engine(self.url, max_retries=0)
        self.callback(self.engine.dispose)
        self.enter_context(self.cloud)
        self._add_samples()
        self.config = self.folder / "distil.conf"
        self.warm = self.enter_context(Warm(self.folder, self.seed))
        for windows in range(1, WINDOWS + 1):
            self.passages[windows] = self._undisturbed(windows)
        return self

    def start(
        self,
        windows: int = WINDOWS,
        fault: Fault | None = None,
        report: pathlib.Path | None = None,
        concurrency: int = 1,
    ) -> Member:
        """Start a collector up to the end of a window, which then ends by itself.

        :param concurrency: with one thread each run passes the same points.
        """
        self.configure(concurrency=concurrency)
        end = self._begin + windows * HOUR
        return self.warm.start(
            ["--config-file", str(self.config), "--collect-end-time", end.isoformat()], fault, report
        )

    def serve(self, fault: Fault | None = None) -> Member:
        """Start a collector that runs every two seconds until it is terminated."""
        self.configure(periodic_interval=2, concurrency=1)
        return self.warm.start(["--config-file", str(self.config)], fault)

    def complete(self) -> bool:
        """Whether every window of every project is stored."""
        return self.rows().tables["tenants"] == self.undisturbed.tables["tenants"]

    def finish(self) -> list[str]:
        """Time goes by, and a fresh collector does what there is left to do.

        :return: what is wrong with how it ended.
        """
        self.cloud.faults.clear()
        self.pass_time()
        collector = self.start()
        collector.wait()
        return collector.problems(0)

    def pass_time(self) -> None:
        """As if a day had gone by: whoever holds a project holds it no longer."""
        table = models.project_locks.name
        with self.engine.begin() as connection:
            columns = {column["name"] for column in sa.inspect(connection).get_columns(table)}
            aged = ", ".join(f"{name} = {name} - INTERVAL 1 DAY" for name in ("created", "expires") if name in columns)
            # A paused collector may have locked a row, which then cannot be changed by anybody.
            free = connection.scalars(sa.text(f"SELECT project_id FROM {table} FOR UPDATE SKIP LOCKED")).all()
            for project_id in free:
                connection.execute(sa.text(f"UPDATE {table} SET {aged} WHERE project_id = :id"), {"id": project_id})

    def wipe(self) -> None:
        """Back to empty tables and a cloud without faults."""
        self.warm.kill_all()
        self.cloud.faults.clear()
        with self.engine.begin() as connection:
            for table in reversed(models.metadata.sorted_tables):
                connection.execute(sa.delete(table))

    def rows(self) -> Rows:
        return Rows.read(self.engine)

    @property
    def outdated(self) -> bool:
        """Whether another window is over: a collector that runs for ever would collect it."""
        return datetime.datetime.now(datetime.UTC) >= self._begin + (WINDOWS + 1) * HOUR

    @property
    def undisturbed(self) -> Rows:
        return self.passages[WINDOWS].rows

    def configure(self, **collector: object) -> None:
        """Write the configuration, as of now: the start of collection is told by its age."""
        # Where it turned between here and the collector's first look at its clock, it would start an hour later.
        stay_away_from_the_hour(_AWAY_FROM_THE_HOUR)
        options: dict[str, object] = {
            "meter_mappings_file": ETC / "meter_mappings.yml",
            "transformer_file": ETC / "transformer.yml",
            "max_collection_start_age": (datetime.datetime.now(datetime.UTC) - self._begin) // HOUR,
            "max_windows_per_cycle": WINDOWS,
            "trust_sources": "openstack, .{32}:TrafficAccounting",
        }
        database = {
            "connection": self.url,
            # Operators wait for a lock for 50 seconds, and 10 to connect again. The trials need not.
            "connection_parameters": "init_command=SET innodb_lock_wait_timeout=1",
            "retry_interval": 1,
        }
        authentication = {"auth_type": "password", "timeout": 2, **self.cloud.auth()}
        sections = {"database": database, "collector": options | collector, "keystone_authtoken": authentication}
        with self.config.open("w") as file:
            for name, values in sections.items():
                file.write(f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items()))

    def _undisturbed(self, windows: int) -> Passage:
        """The second run is the one that counts: it finds all modules imported, as every trial does."""
        report = self.folder / "report.json"
        for _ in range(2):
            self.wipe()
            collector = self.start(windows, report=report)
            collector.wait()
            if problems := collector.problems(0):
                raise AssertionError(f"the undisturbed run: {problems}")
            told = json.loads(report.read_text())
            self.warm.ask("import", modules=told["modules"])
        return Passage([Point(*point) for point in told["points"]], self.rows())

    def _add_samples(self) -> None:
        """In each window: a sample that is rejected, a resource whose info changes, a project with nothing to bill.

        Of the latter only rejected samples are stored, so that no key but last collected keeps a window from being
        stored twice.
        """
        first, services = self.cloud.projects.enabled_ids[0], self.cloud.projects.service_id
        for window in range(WINDOWS):
            sample = {
                "id": f"sample-{window}",
                "project_id": first,
                "meter": "ip.floating",
                "resource_id": "changing",
                "timestamp": (self._begin + window * HOUR).replace(tzinfo=None).isoformat(),
                "volume": 1,
                "unit": "ip",
                "source": "openstack",
                "metadata": {"floating_ip_address": f"203.0.113.{window}"},
            }
            bad = {**sample, "id": f"bad-{window}", "volume": "no number"}
            self.cloud.add_samples(first, "ip.floating", [sample, bad])
            self.cloud.add_samples(services, "ip.floating", [{**bad, "project_id": services}])
