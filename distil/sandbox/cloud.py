# SPDX-License-Identifier: Apache-2.0
"""A sandbox cloud: OpenStack's APIs with synthetic samples, served by threads of this process."""

import configparser
import datetime
import io
import threading
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from typing import Self

from distil.sandbox.apis.aetos import AetosApi
from distil.sandbox.apis.ceilometer import CeilometerApi
from distil.sandbox.apis.cinder import CinderApi
from distil.sandbox.apis.control import ControlApi
from distil.sandbox.apis.glance import GlanceApi
from distil.sandbox.apis.gnocchi import GnocchiApi
from distil.sandbox.apis.keystone import KeystoneApi
from distil.sandbox.apis.nova import NovaApi
from distil.sandbox.apis.prometheus import PrometheusApi
from distil.sandbox.apis.prometheus_queries import PrometheusQueries
from distil.sandbox.apis.prometheus_queries import PrometheusSettings
from distil.sandbox.apis.swift import SwiftApi
from distil.sandbox.data import catalog
from distil.sandbox.data import gnocchi_schema
from distil.sandbox.data import ids
from distil.sandbox.data.added_gnocchi import AddedGnocchi
from distil.sandbox.data.credentials import Credentials
from distil.sandbox.data.gnocchi_store import GnocchiStore
from distil.sandbox.data.injected_samples import InjectedSamples
from distil.sandbox.data.projects import SERVICE_PROJECT
from distil.sandbox.data.projects import SandboxProjects
from distil.sandbox.data.prometheus_series import AddedSeries
from distil.sandbox.data.prometheus_series import ScrapedSeries
from distil.sandbox.data.resources import Resources
from distil.sandbox.data.sample_store import SampleStore
from distil.sandbox.data.synthetic_gnocchi import SyntheticGnocchi
from distil.sandbox.data.synthetic_samples import SyntheticSamples
from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http.api import Api
from distil.sandbox.http.faults import FaultInjector
from distil.sandbox.http.pagination import PageLimits
from distil.sandbox.http.request_counter import RequestCounter
from distil.sandbox.http.response_fault import ResponseFault
from distil.sandbox.http.router import Router
from distil.sandbox.http.server import SandboxServer

_DEFAULT_HISTORY = datetime.timedelta(hours=3)
# Seconds between two checks of the server for a request to stop.
_POLL_SECONDS = 0.05


class Cloud:
    """A cloud with synthetic samples, served over HTTP within ``with``.

    :param projects: number of enabled projects with samples. A tenth as many, at least one, are disabled; one more is
        the service project, which has no samples.
    :param resources: number of resources of each project for each meter.
    :param seed: determines all IDs and volumes.
    :param start: time of the first samples, aware; by default three hours ago.
    :param end: end of the samples, aware; by default the current time, whenever it is.
    :param list_limit: projects on a page of Keystone's if the client sets no limit; None is unlimited.
    :param max_db_limit: maximum projects on any page of Keystone's.
    :param default_api_return_limit: samples in a response of Ceilometer's if the client sets no limit.
    :param token_lifetime: in seconds.
    :param latency: seconds before each response, by service.
    :param role: of the user on the service project.
    :param gnocchi_max_limit: maximum rows on any page of Gnocchi's.
    :param prometheus: settings of Prometheus.
    :param region: of all services.
    :param port: 0 selects a free port.
    :raises OSError: the address cannot be listened on.
    """

    def __init__(
        self,
        *,
        projects: int = 10,
        resources: int = 2,
        seed: int = 0,
        start: datetime.datetime | None = None,
        end: datetime.datetime | None = None,
        list_limit: int | None = None,
        max_db_limit: int = 1000,
        default_api_return_limit: int = 100,
        token_lifetime: float = 3600,
        latency: Mapping[str, float] | None = None,
        role: str = "admin",
        gnocchi_max_limit: int = 1000,
        prometheus: PrometheusSettings | None = None,
        region: str = catalog.REGION,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.region = region
        begin = start or datetime.datetime.now(datetime.UTC) - _DEFAULT_HISTORY
        self.projects = SandboxProjects(seed, projects, max(1, projects // 10), begin)
        self.synthetic_samples = SyntheticSamples(seed, self.projects.metered_numbers, resources, begin, end)
        self.injected_samples = InjectedSamples()
        self.added_series = AddedSeries()
        self._gnocchi_max_limit = gnocchi_max_limit
        self._prometheus_settings = prometheus or PrometheusSettings()
        self.credentials = Credentials(roles=(role,))
        self._users = [self.credentials]
        self.tokens = Tokens(token_lifetime)
        self.faults = FaultInjector(seed, latency or {})
        self.requests = RequestCounter()
        router = Router()
        self._server = SandboxServer((host, port), router, self.faults, self.requests)
        policies, types = dict(gnocchi_schema.POLICIES), dict(gnocchi_schema.RESOURCE_TYPES)
        creator = f"{ids.stable_id('ceilometer')}:{ids.stable_id('telemetry')}"
        self.gnocchi = AddedGnocchi(policies, types, creator)
        all_resources = Resources(seed, self.projects.metered_numbers, resources)
        synthetic_gnocchi = SyntheticGnocchi(self.synthetic_samples, all_resources, creator)
        self._gnocchi_store = GnocchiStore(policies, types, (synthetic_gnocchi, self.gnocchi))
        for api in self._apis(all_resources, PageLimits(list_limit, max_db_limit), default_api_return_limit):
            router.mount(api)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="sandbox", daemon=True
        )

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def auth_url(self) -> str:
        return f"{self.url}/identity/v3"

    def auth(self, credentials: Credentials | None = None) -> dict[str, str]:
        """Return what a client authenticates with, by the names of keystoneauth's options.

        :param credentials: of another user than the cloud's first.
        """
        user = credentials or self.credentials
        return {
            "auth_url": self.auth_url,
            "username": user.username,
            "password": user.password,
            "project_name": SERVICE_PROJECT,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        }

    def add_user(self, *roles: str) -> Credentials:
        """Add a user with these roles on the service project."""
        user = Credentials(f"user-{len(self._users)}", roles=roles)
        self._users.append(user)
        return user

    def conf(self, **sections: Mapping[str, object]) -> str:
        """Return the text of a configuration file for this cloud.

        :param sections: further sections.
        """
        parser = configparser.RawConfigParser(default_section="")
        parser.read_dict({"keystone_authtoken": {"auth_type": "password", **self.auth(), "region_name": self.region}})
        parser.read_dict(sections)
        text = io.StringIO()
        parser.write(text)
        return text.getvalue().rstrip("\n") + "\n"

    def samples(
        self, project_id: str, meter: str, start: datetime.datetime, end: datetime.datetime
    ) -> Iterator[dict[str, Any]]:
        """Return the synthetic samples of a project's meter in [start, end) as the API does."""
        return self.synthetic_samples.samples(project_id, meter, start, end)

    @property
    def prometheus_url(self) -> str:
        return f"{self.url}/prometheus"

    def add_fault(self, service: str, kind: str, **details: Any) -> int:
        """Inject a :class:`~distil.sandbox.http.response_fault.ResponseFault`, and return its number."""
        return self.faults.add(ResponseFault(service, kind, **details))

    def add_samples(
        self, project_id: str, meter: str, samples: Iterable[Any], at: str | None = None, replace: bool = False
    ) -> None:
        """Inject samples; see :meth:`.InjectedSamples.add`."""
        self.injected_samples.add(project_id, meter, samples, at, replace)

    def add_series(self, labels: Mapping[str, str], samples: Iterable[tuple[datetime.datetime, float]]) -> None:
        """Add a series to Prometheus.

        :param labels: with the metric's name as ``__name__``.
        :param samples: aware times, rounded to milliseconds, and values.
        """
        self.added_series.add(labels, [(round(time.timestamp() * 1000), value) for time, value in samples])

    def start(self) -> None:
        """Start to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop to serve, and close all connections."""
        self.faults.clear()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _apis(self, resources: Resources, limits: PageLimits, default_api_return_limit: int) -> tuple[Api, ...]:
        tokens = self.tokens
        sample_store = SampleStore(self.synthetic_samples, self.injected_samples)
        scraped = ScrapedSeries(self.synthetic_samples, self._prometheus_settings.scrape_interval)
        queries = PrometheusQueries(scraped, self.added_series, self._prometheus_settings)
        return (
            KeystoneApi(
                f"{self.url}/identity",
                tokens,
                cloud_url=self.url,
                projects=self.projects,
                users=self._users,
                limits=limits,
                region=self.region,
            ),
            CeilometerApi(f"{self.url}/metering", tokens, sample_store, default_api_return_limit),
            self._gnocchi_api(),
            PrometheusApi(self.prometheus_url, tokens, queries),
            AetosApi(f"{self.url}/metric-storage", tokens, queries, self.projects.service_id),
            NovaApi(f"{self.url}/compute", tokens, resources),
            CinderApi(f"{self.url}/volume", tokens, resources),
            GlanceApi(f"{self.url}/image", tokens, resources),
            SwiftApi(f"{self.url}/object-store", tokens, resources),
            ControlApi(f"{self.url}/sandbox", tokens, self.faults, self.injected_samples, self.requests, self.projects),
        )

    def _gnocchi_api(self) -> GnocchiApi:
        url, project_id = f"{self.url}/metric", self.projects.service_id
        return GnocchiApi(url, self.tokens, self._gnocchi_store, project_id, self._gnocchi_max_limit)
