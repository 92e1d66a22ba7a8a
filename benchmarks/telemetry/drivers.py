# SPDX-License-Identifier: Apache-2.0
"""Part ``telemetry``: a window of the whole cloud through each telemetry driver, in alternation."""

import contextlib
import dataclasses
import datetime
import pathlib
import tempfile
import unittest
import uuid
from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence

import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from benchmarks import targets
from benchmarks.deployment import write_configuration
from benchmarks.long_running import LongRunningCollector
from benchmarks.long_running import long_running_collector
from benchmarks.results import BenchmarkResult
from benchmarks.results import Figure
from benchmarks.scale import Scale
from benchmarks.telemetry.history import METERS
from benchmarks.telemetry.history import History
from benchmarks.telemetry.services import SERVICES
from benchmarks.telemetry.services import CeilometerService
from benchmarks.telemetry.services import TelemetryService
from distil.db import engine as db_engine
from distil.db import models
from distil.tests.support import databases
from distil.tests.support.real.environments import CommandFailed
from distil.tests.support.real.keystone import Keystone
from distil.tests.support.site import HOUR

_MAPPINGS = pathlib.Path(__file__).with_name("meter_mappings.yml")
_HOURS = 2


@dataclasses.dataclass(frozen=True)
class WindowCost:
    """Cost of one hour of the whole cloud.

    :param wall: in seconds, like both CPU times.
    :param cpu: of the collector.
    :param service_cpu: of the telemetry service.
    :param memory: the collector's peak so far, in MiB.
    :param requests: by service type.
    """

    windows: int
    entries: int
    wall: float
    cpu: float
    service_cpu: float
    memory: float
    requests: Mapping[str, int]


@dataclasses.dataclass(frozen=True)
class DriverRun:
    """Collection of two hours with one driver.

    :param first: the driver has nothing in memory.
    :param second: as in operation.
    :param usage: number of entries and sum of their volumes, by service.
    """

    service: str
    service_type: str
    first: WindowCost
    second: WindowCost
    usage: Mapping[str, tuple[int, str]]

    @property
    def telemetry_requests(self) -> int:
        """Requests to the telemetry service for the second hour."""
        return self.second.requests.get(self.service_type, 0)

    def ms(self, seconds: float) -> float:
        """Convert seconds of the second hour to milliseconds for each project-window."""
        return seconds * 1000 / self.second.windows


class DriverBenchmark:
    """A Keystone with projects, and the telemetry services that could be started.

    :ivar unavailable: why the others could not, by name.
    """

    def __init__(self, scale: Scale, stack: contextlib.ExitStack) -> None:
        self._keystone = Keystone()
        stack.callback(self._keystone.stop)
        self._domain = uuid.uuid4().hex
        now = datetime.datetime.now(datetime.UTC).replace(minute=0, second=0, microsecond=0)
        projects = self._add_projects(scale.telemetry_projects)
        self._history = History(projects, scale.telemetry_resources, now - (_HOURS + 1) * HOUR, _HOURS)
        self.services: list[TelemetryService] = []
        self.unavailable: dict[str, str] = {}
        for service_class in SERVICES:
            try:
                service = service_class(self._keystone, self._history)
            except (unittest.SkipTest, CommandFailed) as error:
                self.unavailable[service_class.name] = str(error).splitlines()[0]
                continue
            stack.callback(service.stop)
            self.services.append(service)

    def run(self, service: TelemetryService) -> DriverRun:
        """Collect both hours with an empty database.

        :raises RuntimeError: not every project was collected.
        """
        with (
            tempfile.TemporaryDirectory() as folder,
            databases.database(databases.MYSQL) as url,
            long_running_collector(self._configure(pathlib.Path(folder), url, service)) as collector,
        ):
            first, second = (self._measure(collector, service, hour) for hour in range(_HOURS))
            usage = _usage(url)
        if {first.windows, second.windows} != {len(self._history.projects)} or not usage:
            raise RuntimeError(f"{service.name}: not every project was collected: {first}, {second}")
        return DriverRun(service.name, service.service_type, first, second, usage)

    def _measure(self, collector: LongRunningCollector, service: TelemetryService, hour: int) -> WindowCost:
        requests_before, service_cpu_before = _requests(collector), service.cpu()
        cost = collector.run(self._history.start + (hour + 1) * HOUR)
        service_cpu = service.cpu() - service_cpu_before
        return WindowCost(**cost, service_cpu=service_cpu, requests=dict(_requests(collector) - requests_before))

    def _configure(self, folder: pathlib.Path, url: str, service: TelemetryService) -> pathlib.Path:
        keystone = self._keystone
        authentication = {
            "auth_type": "password",
            "auth_url": keystone.auth_url,
            "username": keystone.username,
            "password": keystone.password,
            "project_name": keystone.project_name,
            "user_domain_id": keystone.domain_id,
            "project_domain_id": keystone.domain_id,
            "region_name": keystone.region_name,
        }
        collector = {
            "collector_backend": service.driver,
            "meter_mappings_file": _MAPPINGS,
            "trust_sources": ".*:openstack, gnocchi, prometheus",
            "include_domains": self._domain,
        }
        sections = {"keystone_authtoken": authentication, service.driver: service.options()}
        return write_configuration(folder, url, self._history.start, self._history.hours, sections, collector)

    def _add_projects(self, number: int) -> Sequence[str]:
        create = self._keystone.call
        domain_id = create("POST", "domains", domain={"name": self._domain})["domain"]["id"]
        documents = [{"name": f"project-{index}", "domain_id": domain_id} for index in range(number)]
        return [create("POST", "projects", project=document)["project"]["id"] for document in documents]


def measure_drivers(scale: Scale) -> BenchmarkResult:
    """Measure two hours of the same usage with each driver.

    :raises RuntimeError: their usage differs.
    """
    with contextlib.ExitStack() as stack:
        benchmark = DriverBenchmark(scale, stack)
        rounds = [[benchmark.run(service) for service in benchmark.services] for _ in range(scale.rounds)]
    first = rounds[0][0]
    different = [run for runs in rounds for run in runs if run.usage != first.usage]
    if different:
        raise RuntimeError(f"usage of {different[0].service} and {first.service} differs: {different[0]}, {first}")
    max_requests = len(METERS) + scale.telemetry_projects * scale.telemetry_resources * len(METERS) / 500
    figures = [figure for runs in zip(*rounds, strict=True) for figure in _figures(runs, max_requests)]
    figures += [figure for runs in zip(*rounds, strict=True) for figure in _ratios(runs, [runs[0] for runs in rounds])]
    figures += [Figure(f"{name}: not measured: {reason}", "", []) for name, reason in benchmark.unavailable.items()]
    return BenchmarkResult(figures, [{run.service: dataclasses.asdict(run) for run in runs} for runs in rounds])


def _figures(runs: Sequence[DriverRun], max_requests: float) -> list[Figure]:
    name, costs = runs[0].service, [run.second for run in runs]
    requests = [sum(cost.requests.values()) / cost.windows for cost in costs]
    return [
        Figure(f"{name}: telemetry requests", "", [run.telemetry_requests for run in runs], max_requests),
        Figure(f"{name}: requests per project-window", "", requests, targets.REQUESTS_STEADY),
        Figure(f"{name}: CPU", "ms", [run.ms(run.second.cpu) for run in runs]),
        Figure(f"{name}: CPU, first window", "ms", [run.ms(run.first.cpu) for run in runs]),
        Figure(f"{name}: CPU of the service", "ms", [run.ms(run.second.service_cpu) for run in runs]),
        Figure(f"{name}: wall time", "ms", [run.ms(run.second.wall) for run in runs]),
        Figure(f"{name}: peak memory", "MiB", [cost.memory for cost in costs], targets.PEAK_MEMORY_MIB),
    ]


def _ratios(runs: Sequence[DriverRun], references: Sequence[DriverRun]) -> list[Figure]:
    """Compare a driver with the one for Ceilometer, round by round, if that could be measured."""
    reference = CeilometerService.name
    if runs[0].service == reference or references[0].service != reference:
        return []
    pairs = [(run.second, other.second) for run, other in zip(runs, references, strict=True)]
    name = f"{runs[0].service} relative to {reference}"
    return [
        Figure(f"{name}: CPU", "times", [one.cpu / other.cpu for one, other in pairs]),
        Figure(f"{name}: wall time", "times", [one.wall / other.wall for one, other in pairs]),
        Figure(f"{name}: peak memory", "times", [one.memory / other.memory for one, other in pairs]),
    ]


def _requests(collector: LongRunningCollector) -> Counter[str]:
    """Requests that the collector has sent so far, by service type, as its metrics say."""
    requests: Counter[str] = Counter()
    for family in text_string_to_metric_families(collector.scrape().decode()):
        for sample in family.samples:
            if sample.name == "distil_collector_http_requests_total":
                requests[sample.labels["service"]] += int(sample.value)
    return requests


def _usage(url: str) -> dict[str, tuple[int, str]]:
    table = models.usage_entry
    columns = (table.c.service, sa.func.count(), sa.func.sum(table.c.volume))
    engine = db_engine.create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(*columns).group_by(table.c.service))
        usage = {service: (number, str(volume)) for service, number, volume in rows}
    engine.dispose()
    return usage
