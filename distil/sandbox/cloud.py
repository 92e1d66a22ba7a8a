# SPDX-License-Identifier: Apache-2.0
"""A cloud in a process."""

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

from distil.sandbox.apis.ceilometer import CeilometerApi
from distil.sandbox.apis.cinder import CinderApi
from distil.sandbox.apis.control import ControlApi
from distil.sandbox.apis.glance import GlanceApi
from distil.sandbox.apis.keystone import KeystoneApi
from distil.sandbox.apis.nova import NovaApi
from distil.sandbox.apis.swift import SwiftApi
from distil.sandbox.data import catalog
from distil.sandbox.data.credentials import Credentials
from distil.sandbox.data.injected_samples import InjectedSamples
from distil.sandbox.data.projects import SERVICE_PROJECT
from distil.sandbox.data.projects import SandboxProjects
from distil.sandbox.data.resources import Resources
from distil.sandbox.data.sample_store import SampleStore
from distil.sandbox.data.synthetic_samples import SyntheticSamples
from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http.api import Api
from distil.sandbox.http.faults import FaultInjector
from distil.sandbox.http.faults import ResponseFault
from distil.sandbox.http.pagination import PageLimits
from distil.sandbox.http.request_counter import RequestCounter
from distil.sandbox.http.server import Router
from distil.sandbox.http.server import SandboxServer

_HISTORY = datetime.timedelta(hours=3)


class Cloud:
    """A cloud with synthetic usage, served over HTTP within ``with``.

    :param projects: enabled projects that use it; a tenth as many (at least one) are disabled, and one more belongs
        to the services and uses nothing.
    :param resources: how many resources each project has for each meter.
    :param seed: everything follows from it.
    :param start: when usage begins, aware; three hours ago by default.
    :param end: when usage ends; by default it goes on with the clock.
    :param list_limit: projects on a page of Keystone's where the client names no limit; None is no such limit.
    :param max_db_limit: projects on any page of Keystone's.
    :param default_api_return_limit: samples in an answer where the client names no limit.
    :param token_lifetime: in seconds.
    :param latency: seconds before each answer, by service.
    :param port: 0 is any that is free.
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
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        begin = start or datetime.datetime.now(datetime.UTC) - _HISTORY
        self.projects = SandboxProjects(seed, projects, max(1, projects // 10), begin)
        self.synthetic_samples = SyntheticSamples(seed, self.projects.metered_numbers, resources, begin, end)
        self.credentials = Credentials()
        self.tokens = Tokens(token_lifetime)
        self.faults = FaultInjector(latency or {})
        self.requests = RequestCounter()
        self.injected_samples = InjectedSamples()
        self._router = Router(seed, self.faults, self.requests)
        self._server = SandboxServer((host, port), self._router)
        self._resources = Resources(seed, self.projects.metered_numbers, resources)
        limits = PageLimits(list_limit, max_db_limit)
        for service in self._services(limits, default_api_return_limit):
            self._router.mount(service)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sandbox", daemon=True)

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def auth_url(self) -> str:
        return f"{self.url}/identity/v3"

    def auth(self) -> dict[str, str]:
        """What a client needs for a token, by the names of keystoneauth's options."""
        return {
            "auth_url": self.auth_url,
            "username": self.credentials.username,
            "password": self.credentials.password,
            "project_name": SERVICE_PROJECT,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        }

    def conf(self, **sections: Mapping[str, object]) -> str:
        """The text of a configuration file for this cloud, with more sections where they are given."""
        parser = configparser.RawConfigParser(default_section="")
        parser.read_dict(
            {"keystone_authtoken": {"auth_type": "password", **self.auth(), "region_name": catalog.REGION}}
        )
        parser.read_dict(sections)
        text = io.StringIO()
        parser.write(text)
        return text.getvalue().rstrip("\n") + "\n"

    def samples(
        self, project_id: str, meter: str, start: datetime.datetime, end: datetime.datetime
    ) -> Iterator[dict[str, Any]]:
        """The synthetic samples of a project's meter in [start, end), as the API answers them."""
        return self.synthetic_samples.samples(project_id, meter, start, end)

    def add_fault(self, service: str, kind: str, **details: Any) -> int:
        """Order a fault (see :class:`distil.sandbox.http.faults.Fault`); the number takes it back."""
        return self.faults.add(ResponseFault(service, kind, **details))

    def add_samples(
        self, project_id: str, meter: str, samples: Iterable[Any], at: str | None = None, replace: bool = False
    ) -> None:
        """Add hand-written samples (see :meth:`distil.sandbox.data.injected_samples.HandWritten.add`)."""
        self.injected_samples.add(project_id, meter, samples, at, replace)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Close every connection; nothing answers any more."""
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

    def _services(self, limits: PageLimits, default_api_return_limit: int) -> tuple[Api, ...]:
        tokens, population = self.tokens, self._resources
        archive = SampleStore(self.synthetic_samples, self.injected_samples)
        return (
            KeystoneApi(
                f"{self.url}/identity",
                tokens,
                cloud_url=self.url,
                projects=self.projects,
                credentials=self.credentials,
                limits=limits,
            ),
            CeilometerApi(f"{self.url}/metering", tokens, archive, default_api_return_limit),
            NovaApi(f"{self.url}/compute", tokens, population),
            CinderApi(f"{self.url}/volume", tokens, population),
            GlanceApi(f"{self.url}/image", tokens, population),
            SwiftApi(f"{self.url}/object-store", tokens, population),
            ControlApi(f"{self.url}/sandbox", tokens, self.faults, self.injected_samples, self.requests),
        )
