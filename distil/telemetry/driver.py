# SPDX-License-Identifier: Apache-2.0
"""The base class of telemetry drivers."""

import abc
import datetime
import enum
from collections.abc import Collection
from collections.abc import Iterator
from typing import ClassVar

from keystoneauth1 import session as ks_session

from distil import catalog
from distil import exceptions
from distil import model


class MeterPresence(enum.Enum):
    """Whether a meter has samples."""

    PRESENT = enum.auto()
    ABSENT = enum.auto()
    UNKNOWN = enum.auto()


class TelemetryDriver(abc.ABC):
    """Reads samples from a telemetry service.

    Drivers are entry points of the group ``distil.telemetry``, chosen by name with ``[collector] collector_backend``.
    Constructing one sends nothing. A collector's threads share it and may send several queries at once.

    :cvar service_type: type of the service, by which metrics count the driver's requests.
    :param session: authenticated, with the operator's TLS settings and time-outs.
    :param region_name: region of the endpoint in the catalog; None: any.
    :param interface: interface of the endpoint in the catalog (public, internal, admin).
    """

    service_type: ClassVar[str] = "metering"

    def __init__(self, session: ks_session.Session, region_name: str | None, interface: str) -> None:
        self._session = session
        self._region_name = region_name
        self._interface = interface

    def region(self) -> str | None:
        """The region of the service: the configured one, else that of its first endpoint in the catalog; None without.

        :raises TelemetryError: there is no catalog.
        """
        if self._region_name:
            return self._region_name
        try:
            return next(iter(catalog.regions(self._session, self._interface, self.service_type)), None)
        except catalog.ERRORS as error:
            raise exceptions.TelemetryError(f"{self.service_type}: the region is unknown: {error}") from error

    @abc.abstractmethod
    def samples(
        self,
        projects: Collection[str],
        meters: Collection[str],
        start: datetime.datetime,
        end: datetime.datetime,
    ) -> Iterator[model.Sample | model.RejectedSample]:
        """Every sample of the projects (ids) and meters (names) in [start, end), each once, in any order.

        The driver decides how many requests it sends. A response that may be truncated is an error; the caller discards
        the samples yielded before an error. Samples that were not requested are never yielded; a sample that cannot be
        parsed is yielded as a RejectedSample.

        :param start: aware, in UTC, like ``end``.
        :raises TelemetryError: the service gave no usable answer, or an incomplete one.
        """

    def require_answer(self) -> None:
        """Ask the service a question that concerns no project, in the way in which samples are requested.

        After each request that failed, the collector finds out so whether all projects are affected. A driver that does
        not override this has each project fail on its own.

        :raises TelemetryError: the service gave no usable answer.
        """

    def meter_presence(self, meter: str, start: datetime.datetime, end: datetime.datetime) -> MeterPresence:
        """Whether any project has samples of a meter in [start, end), for checks of a configuration.

        A driver that can find out cheaply overrides this.

        :raises TelemetryError: the service gave no usable answer.
        """
        return MeterPresence.UNKNOWN

    def newest_sources(self, meter: str, start: datetime.datetime, end: datetime.datetime) -> Collection[str]:
        """The sources of the newest samples of a meter in [start, end), for checks of a configuration.

        A hundred samples suffice. Empty if there are none, or they cannot be read cheaply.

        :raises TelemetryError: the service gave no usable answer.
        """
        return ()
