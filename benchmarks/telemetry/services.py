# SPDX-License-Identifier: Apache-2.0
"""The real telemetry services, filled with one history."""

import abc
import itertools
import os
import pathlib
from collections.abc import Mapping
from concurrent import futures
from typing import Any
from typing import ClassVar

from benchmarks.telemetry.history import INSTANCE
from benchmarks.telemetry.history import INTERVAL
from benchmarks.telemetry.history import METERS
from benchmarks.telemetry.history import TRAFFIC
from benchmarks.telemetry.history import History
from benchmarks.telemetry.history import Resource
from distil.tests.support.real import aetos as real_aetos
from distil.tests.support.real import ceilometer as real_ceilometer
from distil.tests.support.real import gnocchi as real_gnocchi
from distil.tests.support.real import prometheus as real_prometheus
from distil.tests.support.real.ceilometer import Repetition
from distil.tests.support.real.keystone import Keystone
from distil.tests.support.real.prometheus import Series

_FILES = pathlib.Path(__file__).parent
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_POLICY = "billing"
_THREADS = 4
_RESOURCES_PER_POST = 100


class TelemetryService(abc.ABC):
    """A service that has all of a history.

    :cvar name: in the figures.
    :cvar driver: name of the collector's telemetry driver.
    :cvar service_type: by which the collector counts requests to it.
    """

    name: ClassVar[str]
    driver: ClassVar[str]
    service_type: ClassVar[str]

    def options(self) -> Mapping[str, object]:
        """The driver's options."""
        return {"meters_file": _FILES / f"{self.driver}_meters.yml"}

    def cpu(self) -> float:
        """CPU time of the processes that answer, so far, in seconds."""
        return sum(map(_cpu, self.pids()))

    @abc.abstractmethod
    def pids(self) -> tuple[int, ...]:
        """Of the processes that answer."""

    @abc.abstractmethod
    def stop(self) -> None: ...


class CeilometerService(TelemetryService):
    """:raises unittest.SkipTest: it cannot be started on this machine, as for each service."""

    name = "ceilometer"
    driver = "ceilometer"
    service_type = "metering"

    def __init__(self, keystone: Keystone, history: History) -> None:
        self._ceilometer = real_ceilometer.Ceilometer(keystone)
        for meter in METERS:
            resources = list(history.resources_of(meter))
            for project_id, group in itertools.groupby(resources, lambda resource: resource.project_id):
                self._ceilometer.add_samples(project_id, meter, [_sample(meter, each, history) for each in group])
            self._ceilometer.repeat_samples(
                Repetition(meter, resource.id, time, _volume(meter, resource, tick))
                for resource in resources
                for tick, time in enumerate(history.times)
                if tick
            )

    def options(self) -> Mapping[str, object]:
        return {}

    def pids(self) -> tuple[int, ...]:
        return (self._ceilometer.pid,)

    def stop(self) -> None:
        self._ceilometer.stop()


class GnocchiService(TelemetryService):
    name = "gnocchi"
    driver = "gnocchi"
    service_type = "metric"

    def __init__(self, keystone: Keystone, history: History) -> None:
        self._gnocchi = real_gnocchi.Gnocchi(keystone)
        self._gnocchi.add_archive_policy(_POLICY, ("mean", "max", "last", "sum"), back_window=24)
        self._add(history, INSTANCE, "instance", "disk.root.size")
        self._add(history, TRAFFIC, "router_traffic", TRAFFIC)
        self._gnocchi.process()

    def pids(self) -> tuple[int, ...]:
        return (self._gnocchi.api_pid,)

    def stop(self) -> None:
        self._gnocchi.stop()

    def _add(self, history: History, meter: str, resource_type: str, metric: str) -> None:
        resources = list(history.resources_of(meter))
        attributes = [_attributes(meter, resource) for resource in resources]
        self._gnocchi.add_resource_type(resource_type, *attributes[0])
        with self._gnocchi.dated(history.times[0]), futures.ThreadPoolExecutor(_THREADS) as pool:
            for _ in pool.map(
                lambda resource, values: self._gnocchi.add_resource(
                    resource_type, resource.project_id, id=resource.id, **values
                ),
                resources,
                attributes,
            ):
                pass
        for first in range(0, len(resources), _RESOURCES_PER_POST):
            measures = {
                resource.id: {metric: {"archive_policy_name": _POLICY, "measures": _measures(meter, resource, history)}}
                for resource in resources[first : first + _RESOURCES_PER_POST]
            }
            self._gnocchi.call("POST", "batch/resources/metrics/measures?create_metrics=true", measures)


class PrometheusService(TelemetryService):
    name = "prometheus"
    driver = "prometheus"
    service_type = "metric-storage"

    def __init__(self, keystone: Keystone, history: History) -> None:
        self._prometheus = real_prometheus.Prometheus()
        up = {"__name__": "up", "job": "openstack", "instance": "exporter"}
        scrapes = Series(up, [(time, 1) for time in history.times])
        series = [_series(meter, resource, history) for meter in METERS for resource in history.resources_of(meter)]
        self._prometheus.add(scrapes, *series)

    def options(self) -> Mapping[str, object]:
        return {**super().options(), "url": self._prometheus.url}

    def pids(self) -> tuple[int, ...]:
        return (self._prometheus.pid,)

    def stop(self) -> None:
        self._prometheus.stop()


class AetosService(PrometheusService):
    """Its CPU time includes that of the Prometheus behind it."""

    name = "aetos"

    def __init__(self, keystone: Keystone, history: History) -> None:
        super().__init__(keystone, history)
        self._aetos = real_aetos.Aetos(keystone, self._prometheus)

    def options(self) -> Mapping[str, object]:
        return TelemetryService.options(self)

    def pids(self) -> tuple[int, ...]:
        return (*super().pids(), self._aetos.pid)

    def stop(self) -> None:
        self._aetos.stop()
        super().stop()


SERVICES: tuple[type[CeilometerService | GnocchiService | PrometheusService], ...] = (
    CeilometerService,
    GnocchiService,
    PrometheusService,
    AetosService,
)


def _attributes(meter: str, resource: Resource) -> dict[str, str]:
    if meter == TRAFFIC:
        return {"name": resource.name}
    return {
        "display_name": resource.name,
        "host": resource.host,
        "image_ref": resource.id,
        "flavor_id": resource.flavor,
        "flavor_name": resource.flavor,
        "status": "active",
        "availability_zone": "zone-1",
    }


def _sample(meter: str, resource: Resource, history: History) -> dict[str, Any]:
    """The first of the resource."""
    metadata = _attributes(meter, resource)
    if meter == INSTANCE:
        metadata |= {"instance_type": resource.flavor, "state": "active", "vcpus": "1", "memory_mb": "1024"}
    return {
        "resource_id": resource.id,
        "timestamp": history.times[0].replace(tzinfo=None).isoformat(),
        "volume": _volume(meter, resource, 0),
        "unit": "B" if meter == TRAFFIC else "instance",
        "source": "openstack",
        "metadata": metadata,
    }


def _volume(meter: str, resource: Resource, tick: int) -> int:
    return resource.amount(tick) if meter == TRAFFIC else 1


def _measures(meter: str, resource: Resource, history: History) -> list[dict[str, Any]]:
    # Of different moments in the aggregate that begins at a tick.
    offset = resource.number % INTERVAL.seconds
    return [
        {"timestamp": time.timestamp() + offset, "value": _volume(meter, resource, tick)}
        for tick, time in enumerate(history.times)
    ]


def _series(meter: str, resource: Resource, history: History) -> Series:
    job = {"job": "openstack", "instance": "exporter"}
    if meter == TRAFFIC:
        labels = {"router_id": resource.id, "router_name": resource.name, "project_id": resource.project_id}
        counted = itertools.accumulate(resource.amount(tick) for tick in range(len(history.times)))
        samples = list(zip(history.times, map(float, counted), strict=True))
        return Series({"__name__": "router_bytes_total", **labels, **job}, samples)
    labels = {
        "id": resource.id,
        "uuid": resource.id,
        "name": resource.name,
        "tenant_id": resource.project_id,
        "user_id": resource.project_id,
        "status": "ACTIVE",
        "availability_zone": "zone-1",
        "flavor_id": resource.flavor,
        "host_id": resource.host,
        "hypervisor_hostname": resource.host,
        "address_ipv4": f"203.0.113.{resource.number % 254}",
        "address_ipv6": "",
        "instance_libvirt": f"instance-{resource.number:08x}",
    }
    return Series({"__name__": "openstack_nova_server_status", **labels, **job}, [(time, 0) for time in history.times])


def _cpu(pid: int) -> float:
    """CPU time of a process with all its threads so far, in seconds."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND
