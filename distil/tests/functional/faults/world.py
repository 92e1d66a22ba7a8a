# SPDX-License-Identifier: Apache-2.0
"""A sandbox cloud, a database, a warm process, and the rows of a run that nothing disturbs."""

import contextlib
import datetime
import json
import pathlib
import tempfile
import time
from collections.abc import Sequence
from typing import NamedTuple
from typing import Self

import sqlalchemy as sa

from distil.db import engine as db_engine
from distil.db import models
from distil.sandbox.cloud import Cloud
from distil.tests.functional import databases
from distil.tests.functional.collector.site import ETC
from distil.tests.functional.collector.site import HOUR
from distil.tests.functional.faults.actions import Fault
from distil.tests.functional.faults.hooks import Point
from distil.tests.functional.faults.members import Member
from distil.tests.functional.faults.members import Warm
from distil.tests.functional.faults.rows import Rows

START = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
WINDOWS = 2
_AWAY_FROM_THE_HOUR = 10
_DAY = datetime.timedelta(days=1)


class Passage(NamedTuple):
    """A point that an undisturbed run up to the end of the first window, or of the last one, passes."""

    points: list[Point]
    rows: Rows


class World(contextlib.ExitStack):
    """Everything that trials need, for the duration of a ``with``. Trials follow each other on one database.

    :param seed: of the cloud.
    :param url: of an empty database of its own with the newest tables; None is one on the server that is there.
    :ivar passages: by number of windows.
    """

    def __init__(self, seed: int, url: str | None = None) -> None:
        super().__init__()
        self.cloud = Cloud(seed=seed, projects=2, resources=2, start=START, end=START + WINDOWS * HOUR)
        self._url = url
        self.passages: dict[int, Passage] = {}

    def __enter__(self) -> Self:
        self.folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))
        self.url = self._url or self.enter_context(databases.database(databases.MYSQL))
        self.engine = db_engine.create_engine(self.url, max_retries=0)
        self.callback(self.engine.dispose)
        self.enter_context(self.cloud)
        self._add_samples()
        self.config = self.folder / "distil.conf"
        self.warm = self.enter_context(Warm(self.folder))
        for windows in range(1, WINDOWS + 1):
            self.passages[windows] = self._undisturbed(windows)
        return self

    def start(self, windows: int = WINDOWS, fault: Fault | None = None, report: pathlib.Path | None = None) -> Member:
        """Start a collector up to the end of a window, which then ends by itself."""
        self.configure()
        end = START + windows * HOUR
        return self.warm.start(
            ["--config-file", str(self.config), "--collect-end-time", end.isoformat()], fault, report
        )

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
        with self.engine.connect() as connection:
            columns = {column["name"] for column in sa.inspect(connection).get_columns(models.project_locks.name)}
            aged = ", ".join(f"{name} = {name} - INTERVAL 1 DAY" for name in ("created", "expires") if name in columns)
            connection.execute(sa.text(f"UPDATE {models.project_locks.name} SET {aged}"))
            connection.commit()

    def wipe(self) -> None:
        """Back to empty tables and a cloud without faults."""
        self.cloud.faults.clear()
        with self.engine.begin() as connection:
            for table in reversed(models.metadata.sorted_tables):
                connection.execute(sa.delete(table))

    def rows(self) -> Rows:
        return Rows.read(self.engine)

    @property
    def undisturbed(self) -> Rows:
        return self.passages[WINDOWS].rows

    def configure(self, **collector: object) -> None:
        """Write the configuration, as of now: the start of collection is told by its age."""
        _stay_away_from_the_hour()
        options: dict[str, object] = {
            "meter_mappings_file": ETC / "meter_mappings.yml",
            "transformer_file": ETC / "transformer.yml",
            "max_collection_start_age": (datetime.datetime.now(datetime.UTC) - START) // HOUR,
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
        """A sample that is rejected in each window, and a resource whose info changes from one to the next."""
        project_id = self.cloud.projects.enabled_ids[0]
        for window in range(WINDOWS):
            moment = START + window * HOUR + datetime.timedelta(minutes=7)
            sample = {
                "id": f"sample-{window}",
                "project_id": project_id,
                "meter": "ip.floating",
                "resource_id": "changing",
                "timestamp": moment.replace(tzinfo=None).isoformat(),
                "volume": 1,
                "unit": "ip",
                "source": "openstack",
                "metadata": {"floating_ip_address": f"203.0.113.{window}"},
            }
            bad = {**sample, "id": f"bad-{window}", "volume": "no number"}
            self.cloud.add_samples(project_id, "ip.floating", [sample, bad])


def commits(points: Sequence[Point]) -> list[Point]:
    return [point for point in points if point.what == "COMMIT"]


def _stay_away_from_the_hour() -> None:
    """Where the hour turned between here and the collector's first look at its clock, it would start an hour later."""
    now = datetime.datetime.now(datetime.UTC)
    remaining = 3600 - (now.minute * 60 + now.second)
    if remaining < _AWAY_FROM_THE_HOUR:
        time.sleep(remaining + 1)
