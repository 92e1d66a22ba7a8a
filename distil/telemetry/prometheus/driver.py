# SPDX-License-Identifier: Apache-2.0
"""The driver for Prometheus, and for what speaks its HTTP API: Aetos, Thanos, Mimir."""

import datetime
import functools
import threading
import urllib.parse
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple
from typing import Self

from keystoneauth1 import adapter as ks_adapter

from distil import exceptions
from distil import model
from distil import tls
from distil.conf import prometheus as conf
from distil.conf.prometheus import PrometheusOptions
from distil.rating import sample_parser
from distil.telemetry import driver
from distil.telemetry import meter_entry
from distil.telemetry import snapshot_counts
from distil.telemetry.driver import DriverContext
from distil.telemetry.driver import Guarantee
from distil.telemetry.http_client import JSONClient
from distil.telemetry.http_client import StatusError
from distil.telemetry.prometheus import connection
from distil.telemetry.prometheus import counters
from distil.telemetry.prometheus import meters
from distil.telemetry.prometheus.api import PrometheusAPI
from distil.telemetry.prometheus.counted_series import CountedSeries
from distil.telemetry.prometheus.documents import DocumentMaker
from distil.telemetry.prometheus.meters import Kind
from distil.telemetry.prometheus.meters import PrometheusMeter
from distil.telemetry.prometheus.part_lengths import PartLengths
from distil.telemetry.prometheus.reader import PeriodReader
from distil.telemetry.prometheus.reader import SeriesReader
from distil.telemetry.prometheus.reader import milliseconds
from distil.telemetry.prometheus.report import MeterReporter
from distil.telemetry.prometheus.report import retention
from distil.telemetry.prometheus.report import retention_warnings
from distil.telemetry.prometheus.wholeness import WholenessCheck
from distil.telemetry.snapshot import Snapshot
from distil.telemetry.snapshot import Snapshots

_SERVICE_TYPE = "metric-storage"


class _Source(NamedTuple):
    """What is read for some meters."""

    reader: PeriodReader
    snapshots: Snapshots


class PrometheusDriver(driver.TelemetryDriver):
    """Reads the raw samples of a period of all projects with one query for each selector of the meters file.

    :param entries: of the meters file.
    """

    service_type = _SERVICE_TYPE
    guarantees = frozenset((Guarantee.STATUS, Guarantee.TRANSFERS, Guarantee.LATE_DATA, Guarantee.WHOLENESS))
    options = conf.OPTS
    reads_all_projects = True

    def __init__(self, context: DriverContext, options: PrometheusOptions, entries: Sequence[PrometheusMeter]) -> None:
        super().__init__(context.session, context.region_name, context.interface)
        self.lag = options.lag_time
        self.source = options.source
        self._options = options
        self._entries = entries
        self._max_gap = options.max_gap * 1000
        self._api = _open(context, options)
        self._reader = SeriesReader(self._api, PartLengths())
        self._wholeness = WholenessCheck(self._api, self._reader, self._max_gap, options.replica_labels)
        self._documents = DocumentMaker(options.source, self._max_gap, options.replica_labels)
        self._lock = threading.Lock()
        self._sources: dict[frozenset[str], _Source] = {}

    @classmethod
    def create(cls, context: DriverContext) -> Self:
        options = PrometheusOptions(**context.options)
        problems = options.problems()
        problems += tls.client_problems(conf.GROUP, options.cafile, options.certfile, options.keyfile)
        entries: Sequence[PrometheusMeter] = ()
        try:
            if options.bearer_token_file:
                connection.read_token(options.bearer_token_file)
        except exceptions.TelemetryError as error:
            problems.append(str(error))
        try:
            entries = meters.load(options.meters_file)
        except exceptions.ConfigurationError as error:
            problems += error.problems
        if problems:
            raise exceptions.ConfigurationError(problems)
        return cls(context, options, entries)

    def region(self) -> str | None:
        """The region; of a service that the catalog does not have, its host and port unless a region is configured."""
        if self._region_name is None and self._options.url:
            return urllib.parse.urlsplit(self._options.url).netloc
        return super().region()

    def samples(
        self,
        projects: Collection[str],
        meters: Collection[str],
        start: datetime.datetime,
        end: datetime.datetime,
    ) -> Iterator[model.Sample | model.RejectedSample]:
        source = self._source(frozenset(meters))
        if not source.reader.entries or not projects:
            return
        snapshot = source.snapshots.get(model.Window(start, end))
        for project_id in sorted(set(projects)):
            counted = CountedSeries()
            for question, parts in source.reader.series(snapshot.rows(project_id)).items():
                for entry in source.reader.entries[question]:
                    counted.add(entry, parts)
                    for document in self._documents.documents(
                        entry, project_id, parts, milliseconds(start), milliseconds(end)
                    ):
                        yield sample_parser.parse_sample(document, project_id, entry.meter)

    def counts(
        self,
        meters: Collection[str],
        start: datetime.datetime,
        end: datetime.datetime,
        length: datetime.timedelta,
    ) -> Iterator[driver.SampleCount]:
        for part in model.Window(start, end).split(length):
            yield from snapshot_counts.count(
                self, self._source(frozenset(meters)).snapshots.get(part).projects(), meters, part
            )

    def served(self, meter: str) -> driver.ServedMeter | None:
        entries = [entry for entry in self._entries if entry.meter == meter]
        if not entries:
            return None
        adds_up = all(entry.kind is Kind.COUNTER for entry in entries)
        return meter_entry.served(entries, adds_up)

    def require_answer(self) -> None:
        self._api.require_answer()

    def problems(self) -> Iterator[str]:
        self._require_rights()
        yield from ()

    def warnings(self) -> Iterator[str]:
        yield from retention_warnings(self._api)

    def report(self, meter: str, start: datetime.datetime, end: datetime.datetime) -> driver.MeterReport:
        entries = [entry for entry in self._entries if entry.meter == meter and entry.unavailable is None]
        reporter = MeterReporter(self._api, self._reader, self._wholeness, self._documents, self._options.source)
        report = reporter.report(entries, milliseconds(start), milliseconds(end - self.lag))
        return report._replace(kept=retention(self._api)) if entries else report

    def _source(self, names: frozenset[str]) -> _Source:
        with self._lock:
            if names not in self._sources:
                entries = [entry for entry in self._entries if entry.meter in names and entry.unavailable is None]
                look_back = counters.look_back(self._max_gap, self._options.replica_labels)
                reader = PeriodReader(self._reader, entries, look_back, self._api.name)
                read = functools.partial(self._read, reader, entries)
                self._sources[names] = _Source(reader, Snapshots(read))
            return self._sources[names]

    def _read(
        self, reader: PeriodReader, entries: Sequence[PrometheusMeter], period: model.Window, snapshot: Snapshot
    ) -> None:
        self._require_rights()
        for up in sorted({entry.up for entry in entries}):
            self._wholeness.require_whole(up, milliseconds(period.start), milliseconds(period.end))
        reader.read(period, snapshot)

    def _require_rights(self) -> None:
        """Ask Aetos what only those may read who may read the samples of all projects. To others it shows no error.

        :raises TelemetryError: the user may not, or the service gave no usable answer.
        """
        if self._options.url:
            return
        try:
            self._api.runtime_info()
        except StatusError as error:
            if error.status != HTTPStatus.FORBIDDEN:
                raise
            raise exceptions.TelemetryError(
                "the user of [keystone_authtoken] may not read the samples of all projects, and needs the role admin or"
                f" service: {error}",
                affects_all=True,
            ) from error


def _open(context: DriverContext, options: PrometheusOptions) -> PrometheusAPI:
    if not options.url:
        catalog_adapter = ks_adapter.Adapter(
            context.session,
            service_type=_SERVICE_TYPE,
            region_name=context.region_name,
            interface=context.interface,
            additional_headers=dict(options.headers),
        )
        return PrometheusAPI(JSONClient(catalog_adapter, _SERVICE_TYPE), options.parameters, posts=False)
    headers = dict(options.headers)
    if options.username and options.password:
        headers["Authorization"] = connection.basic(options.username, options.password)
    auth = connection.Authentication(options.url.rstrip("/"), headers, options.bearer_token_file)
    cert = (options.certfile, options.keyfile) if options.certfile and options.keyfile else options.certfile
    session = context.open_session(auth, verify=False if options.insecure else options.cafile or True, cert=cert)
    adapter = ks_adapter.Adapter(session, service_type=_SERVICE_TYPE)
    return PrometheusAPI(JSONClient(adapter, "prometheus"), options.parameters, posts=True)
