# SPDX-License-Identifier: Apache-2.0
"""The driver for Gnocchi."""

import datetime
import functools
import threading
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Self

from keystoneauth1 import session as ks_session

from distil import exceptions
from distil import model
from distil.conf import gnocchi as gnocchi_conf
from distil.rating import sample_parser
from distil.telemetry import driver
from distil.telemetry import meter_entry
from distil.telemetry import snapshot_counts
from distil.telemetry.driver import Guarantee
from distil.telemetry.gnocchi import client
from distil.telemetry.gnocchi import meters as gnocchi_meters
from distil.telemetry.gnocchi.aggregates import AggregateReader
from distil.telemetry.gnocchi.backlog import BacklogMonitor
from distil.telemetry.gnocchi.checks import MeterCheck
from distil.telemetry.gnocchi.documents import OwnedSeries
from distil.telemetry.gnocchi.documents import documents
from distil.telemetry.gnocchi.measured import NumberedMeter
from distil.telemetry.gnocchi.meters import GnocchiMeter
from distil.telemetry.gnocchi.meters import Kind
from distil.telemetry.gnocchi.reader import PeriodReader
from distil.telemetry.gnocchi.rights import require_visible_resources
from distil.telemetry.snapshot import Snapshot
from distil.telemetry.snapshot import Snapshots

_HOUR_SECONDS = 3600


class GnocchiDriver(driver.TelemetryDriver):
    """Reads aggregates of all projects at once: a sample is an aggregate, with each revision that was in force.

    :param options: values of the group.
    :param meters: the entries of the meters file.
    """

    service_type = client.SERVICE_TYPE
    guarantees = frozenset((Guarantee.TRANSFERS, Guarantee.WHOLENESS))
    options = gnocchi_conf.OPTS
    reads_all_projects = True

    def __init__(
        self,
        session: ks_session.Session,
        region_name: str | None,
        interface: str,
        options: gnocchi_conf.GnocchiOptions,
        meters: Sequence[GnocchiMeter],
    ) -> None:
        super().__init__(session, region_name, interface)
        self.lag = datetime.timedelta(seconds=options.lag)
        self.source = options.source
        self._options = options
        self._meters = meters
        self._client = client.GnocchiClient(session, region_name, interface, options.creators)
        aggregates = AggregateReader(self._client, options.granularity)
        backlog = BacklogMonitor(self._client, options.processing_timeout)
        self._reader = PeriodReader(self._client, aggregates, backlog, options.granularity, self.lag)
        self._check = MeterCheck(self._client, aggregates, options.granularity, options.source)
        self._lock = threading.Lock()
        self._snapshots: dict[frozenset[str], Snapshots] = {}

    @classmethod
    def create(cls, context: driver.DriverContext) -> Self:
        options = gnocchi_conf.GnocchiOptions(**context.options)
        problems: list[str] = []
        if _HOUR_SECONDS % options.granularity:
            problems.append(f"[{gnocchi_conf.GROUP}] granularity: {options.granularity} s do not divide an hour")
        meters: Sequence[GnocchiMeter] = ()
        try:
            meters = gnocchi_meters.load(options.meters_file)
        except exceptions.ConfigurationError as error:
            problems += error.problems
        if problems:
            raise exceptions.ConfigurationError(problems)
        return cls(context.session, context.region_name, context.interface, options, meters)

    def served(self, meter: str) -> driver.ServedMeter | None:
        entries = [entry for entry in self._meters if entry.meter == meter]
        if not entries:
            return None
        return meter_entry.served(entries, adds_up=all(entry.kind is Kind.DELTA for entry in entries))

    def require_answer(self) -> None:
        require_visible_resources(self._client)

    def problems(self) -> Iterator[str]:
        require_visible_resources(self._client)
        backlog = self._client.backlog()
        if backlog is not None and backlog.processors == 0:
            yield "no gnocchi-metricd is running: measures are not processed"

    def warnings(self) -> Iterator[str]:
        if self._client.backlog() is None:
            yield (
                "Gnocchi does not tell this user about unprocessed measures, so that usage is lost while"
                " gnocchi-metricd is behind for longer than the lag: the role admin would be allowed to ask"
            )
        if not self._options.creators:
            yield (
                "[gnocchi] creators is empty: users who create resources in Gnocchi themselves, which they may for any"
                " project, have them billed"
            )
        elif self._client.has_resource_of_other_creator():
            yield "Gnocchi has resources that are not billed: others than [gnocchi] creators have created them"

    def report(self, meter: str, start: datetime.datetime, end: datetime.datetime) -> driver.MeterReport:
        return self._check.report(self._numbered((meter,)), start, end)

    def samples(
        self,
        projects: Collection[str],
        meters: Collection[str],
        start: datetime.datetime,
        end: datetime.datetime,
    ) -> Iterator[model.Sample | model.RejectedSample]:
        if not projects or not meters:
            return
        snapshot = self._snapshots_of(frozenset(meters)).get(model.Window(start, end))
        for project_id in projects:
            for row in snapshot.rows(project_id):
                series = OwnedSeries.from_row(row)
                meter = self._meters[series.meter]
                for document in documents(series, meter, project_id, self._options.source):
                    yield sample_parser.parse_sample(document, project_id, meter.meter)

    def counts(
        self,
        meters: Collection[str],
        start: datetime.datetime,
        end: datetime.datetime,
        length: datetime.timedelta,
    ) -> Iterator[driver.SampleCount]:
        for part in model.Window(start, end).split(length):
            yield from snapshot_counts.count(
                self, self._snapshots_of(frozenset(meters)).get(part).projects(), meters, part
            )

    def _snapshots_of(self, names: frozenset[str]) -> Snapshots:
        with self._lock:
            if names not in self._snapshots:
                self._snapshots[names] = Snapshots(functools.partial(self._read, self._numbered(names)))
            return self._snapshots[names]

    def _numbered(self, names: Collection[str]) -> Sequence[NumberedMeter]:
        """The entries with samples of some meters."""
        return [
            NumberedMeter(number, meter)
            for number, meter in enumerate(self._meters)
            if meter.meter in names and meter.unavailable is None
        ]

    def _read(self, meters: Sequence[NumberedMeter], period: model.Window, snapshot: Snapshot) -> None:
        for moment in (period.start, period.end):
            if moment.timestamp() % self._options.granularity:
                reason = f"{period} does not begin and end with an aggregate of {self._options.granularity} s"
                raise exceptions.TelemetryError(reason, affects_all=True)
        self._reader.read(meters, period, snapshot)
