# SPDX-License-Identifier: Apache-2.0
"""From the options to the telemetry driver, and what it lacks for the meter mappings."""

import functools
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from keystoneauth1 import session as ks_session
from oslo_config import cfg

from distil.cloud.request_observer import RequestObserver
from distil.conf import keystone_authtoken
from distil.conf import telemetry_drivers
from distil.factory.session import open_session
from distil.rating.mapping import MeterMapping
from distil.telemetry import coverage
from distil.telemetry.coverage import Shortcoming
from distil.telemetry.driver import DriverContext
from distil.telemetry.driver import TelemetryDriver


class TelemetryFactory:
    """Builds a collector's telemetry driver.

    :param backend: name of the driver.
    """

    def __init__(self, conf: cfg.ConfigOpts, backend: str) -> None:
        self._conf = conf
        self.backend = backend

    def driver(self, session: ks_session.Session, observer: RequestObserver | None = None) -> TelemetryDriver:
        """The telemetry driver. Making it sends nothing.

        :param session: authenticated at Keystone.
        :param observer: notified of each request of a session that the driver opens itself.
        :raises ConfigurationError: the driver is unknown, or its options cannot be used.
        """
        options = keystone_authtoken.read(self._conf)
        context = DriverContext(
            session=session,
            region_name=options.region_name,
            interface=options.interface,
            options=self.options(),
            open_session=functools.partial(open_session, self._conf, observer),
        )
        driver_class: type[TelemetryDriver] = telemetry_drivers.load(self.backend)
        return driver_class.create(context)

    @functools.cached_property
    def offline_driver(self) -> TelemetryDriver:
        """The driver without credentials, for what it can tell without asking the service.

        :raises ConfigurationError: the driver is unknown, or its options cannot be used.
        """
        return self.driver(ks_session.Session())

    def options(self) -> Mapping[str, Any]:
        """The values of the driver's options, by name.

        :raises ConfigurationError: the driver is unknown.
        """
        return telemetry_drivers.read(self._conf, self.backend)

    def shortcomings(self, mappings: Sequence[MeterMapping]) -> Iterator[Shortcoming]:
        """What the driver lacks for meter mappings.

        :raises ConfigurationError: the driver is unknown, or its options cannot be used.
        """
        path = self.options().get("meters_file")
        meters_file = f"{path} ([{self.backend}] meters_file)" if path else None
        return coverage.find_shortcomings(mappings, self.offline_driver, meters_file)
