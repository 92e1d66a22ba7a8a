# SPDX-License-Identifier: Apache-2.0
"""A deployment: sandbox cloud, database, configuration and collectors."""

import contextlib
import datetime
import os
import pathlib
import subprocess
import tempfile
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from typing import NamedTuple
from typing import Self

import sqlalchemy as sa

from distil.db import engine as db_engine
from distil.db import models
from distil.sandbox.cloud import Cloud
from distil.tests.support import commands
from distil.tests.support import databases
from distil.tests.support.processes import script
from distil.tests.support.processes import terminate

HOUR = datetime.timedelta(hours=1)
# Most tests have a collector register the projects by then. In the next hour these would start an hour later, because
# max_collection_start_age counts from the collector's clock.
_SECONDS_TO_REGISTRATION = 30

ETC = pathlib.Path(__file__).parents[3] / "etc" / "distil"


class Entry(NamedTuple):
    """A usage entry, without the time at which it was stored."""

    project_id: str
    service: str
    resource_id: str
    unit: str
    volume: Decimal
    start: datetime.datetime
    end: datetime.datetime


class Site(contextlib.ExitStack):
    """Provides everything that a collector needs, for the duration of a ``with``.

    The cloud has usage of three hours, from :attr:`start` to :attr:`end`, which is in the past.

    :param backend: of the database.
    :param migrated: whether the database is at the newest revision, or empty.
    :param cloud: one that runs already; None starts one.
    :param settings: arguments of the cloud that is started.
    """

    def __init__(
        self, backend: str = databases.SQLITE, cloud: Cloud | None = None, migrated: bool = True, **settings: Any
    ) -> None:
        super().__init__()
        stay_away_from_the_hour(_SECONDS_TO_REGISTRATION)
        now = datetime.datetime.now(datetime.UTC)
        self.start = now.replace(minute=0, second=0, microsecond=0) - 4 * HOUR
        self.end = self.start + 3 * HOUR
        self._database = databases.database(backend, migrated=migrated)
        defaults: dict[str, Any] = {"projects": 3, "resources": 2, "start": self.start, "end": self.end}
        self._running_cloud = cloud
        self._settings = defaults | settings
        self.environment: dict[str, str] = {}

    def __enter__(self) -> Self:
        self.cloud = self._running_cloud or self.enter_context(Cloud(**self._settings))
        self.folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))
        self.url = self.enter_context(self._database)
        self.engine = db_engine.create_engine(self.url)
        self.callback(self.engine.dispose)
        self.config = self.folder / "distil.conf"
        self.configure()
        return self

    def configure(
        self,
        authentication: Mapping[str, object] | None = None,
        sections: Mapping[str, Mapping[str, object]] | None = None,
        **collector: object,
    ) -> None:
        """Write the configuration: the sample meter mappings, and what the test adds.

        :param authentication: options of [keystone_authtoken], in addition to the cloud's.
        :param sections: further groups.
        :param collector: options of [collector].
        """
        options: dict[str, object] = {
            "meter_mappings_file": ETC / "meter_mappings.yml",
            "transformer_file": ETC / "transformer.yml",
            "max_collection_start_age": (datetime.datetime.now(datetime.UTC) - self.start) // HOUR,
            "max_windows_per_cycle": 3,
            "trust_sources": "openstack, .{32}:TrafficAccounting",
        }
        all_sections: dict[str, Mapping[str, object]] = {
            **(sections or {}),
            "database": {"connection": self.url},
            "collector": options | collector,
            "keystone_authtoken": {"auth_type": "password", **self.cloud.auth(), **(authentication or {})},
        }
        with self.config.open("w", encoding="utf-8", errors="surrogateescape") as file:
            for name, values in all_sections.items():
                file.write(f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items()))

    def collector(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a collector's process, which ends with the site at the latest."""
        command = [script("distil-collector"), "--config-file", str(self.config)]
        process = subprocess.Popen(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | self.environment,
            start_new_session=True,
        )
        self.callback(terminate, process)
        return process

    def refused(self, *arguments: str) -> str:
        """Start a collector that must refuse to run, and return its output."""
        collector = self.collector(*arguments)
        output, _ = collector.communicate(timeout=60)
        if collector.returncode != 1 or "Traceback" in output:
            raise AssertionError(f"the status was {collector.returncode}, not 1, or there was a defect:\n{output}")
        return output

    def collect(self, end: datetime.datetime | None = None, status: int = 0) -> str:
        """Collect up to a time, by default the end of the cloud's usage, and return the output of the process."""
        arguments = ("--config-file", str(self.config), "--collect-end-time", (end or self.end).isoformat())
        done = commands.run("distil-collector", *arguments, environment=self.environment)
        output = done.stdout + done.stderr
        if done.returncode != status or "Traceback" in output:
            raise AssertionError(f"the status was {done.returncode}, not {status}, or there was a defect:\n{output}")
        return output

    def usage(self, **where: object) -> list[Entry]:
        """Return the stored usage entries, sorted."""
        table = models.usage_entry
        columns = [table.c[name] for name in ("tenant_id", "service", "resource_id", "unit", "volume", "start", "end")]
        return sorted(Entry(*row) for row in self.rows(sa.select(*columns).filter_by(**where)))

    def rows(self, query: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(query))

    def last_collected(self) -> dict[str, datetime.datetime]:
        table = models.tenants
        return dict(tuple(row) for row in self.rows(sa.select(table.c.id, table.c.last_collected)))

    def rejected(self) -> list[Any]:
        return self.rows(sa.select(models.rejected_samples).order_by(models.rejected_samples.c.id))

    def samples(self, project_id: str, meter: str) -> list[dict[str, Any]]:
        """Return the samples of all windows, as the cloud has them."""
        return list(self.cloud.samples(project_id, meter, self.start, self.end))

    def sample(self, project_id: str, meter: str, **values: Any) -> dict[str, Any]:
        """Return a valid sample with some values replaced; by default it is of ten minutes after :attr:`start`."""
        valid = {
            "id": f"{meter}-{values}"[:60],
            "project_id": project_id,
            "meter": meter,
            "resource_id": "resource-1",
            "timestamp": (self.start + datetime.timedelta(minutes=10)).replace(tzinfo=None).isoformat(),
            "volume": 1,
            "unit": "unit",
            "source": "openstack",
            "metadata": {},
        }
        return valid | values


def stay_away_from_the_hour(seconds: float) -> None:
    """Wait for the next full hour if it is less than ``seconds`` away, because another window is due then."""
    now = datetime.datetime.now(datetime.UTC)
    remaining = 3600 - (now.minute * 60 + now.second)
    if remaining < seconds:
        time.sleep(remaining + 1)
