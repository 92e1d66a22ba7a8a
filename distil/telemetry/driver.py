# SPDX-License-Identifier: Apache-2.0
"""The base class of telemetry drivers."""

import abc
import dataclasses
import datetime
import enum
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import ClassVar
from typing import NamedTuple
from typing import Protocol
from typing import Self

from keystoneauth1 import plugin as ks_plugin
from keystoneauth1 import session as ks_session

from distil import catalog
from distil import exceptions
from distil import model


class Guarantee(enum.StrEnum):
    """What a driver guarantees of the samples that it yields, as the documentation words it."""

    EXACT_SAMPLES = "every measurement, with its own time and value"
    STATUS = "the status of a resource at each measurement"
    TRANSFERS = "usage before a transfer belongs to the former project"
    LATE_DATA = "samples that arrive late are seen as long as their window is not collected"
    WHOLENESS = "a window is refused while samples of it are known to be missing"


class MeterPresence(enum.Enum):
    """Whether a meter has samples."""

    PRESENT = enum.auto()
    ABSENT = enum.auto()
    UNKNOWN = enum.auto()


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServedMeter:
    """What the samples of a meter hold, according to the driver's own configuration.

    :param metadata: the keys of the metadata; None: whatever was published.
    :param constants: the keys among them whose value is configured and not measured.
    :param adds_up: whether the volumes of a window may be added, as those of traffic since the last sample.
    :param unavailable: why there are none at all.
    """

    metadata: frozenset[str] | None = None
    constants: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    adds_up: bool = True
    unavailable: str | None = None


class Recording(NamedTuple):
    """When a sample was recorded by the telemetry service.

    :param timestamp: of the sample.
    """

    timestamp: datetime.datetime
    recorded: datetime.datetime


class MeterReport(NamedTuple):
    """What a check of the configuration finds of a meter in the telemetry service.

    :param presence: whether any project has samples.
    :param problems: a sentence for each reason why samples are missing or wrong, or cannot be collected.
    :param sources: of the newest samples.
    :param example: one of the samples, as a document with Ceilometer's keys.
    :param warnings: a sentence for each reason why samples may come to be missing or wrong.
    :param kept: how long the samples can be read, at the least; None: unknown, or without limit.
    :param recordings: of samples that tell it.
    """

    presence: MeterPresence
    problems: Sequence[str] = ()
    sources: Collection[str] = ()
    example: Mapping[str, Any] | None = None
    warnings: Sequence[str] = ()
    kept: datetime.timedelta | None = None
    recordings: Sequence[Recording] = ()


class SampleCount(NamedTuple):
    """How many samples of a meter a project has in a part of a period.

    :param start: of the part.
    """

    project_id: str
    meter: str
    start: datetime.datetime
    samples: int


class OpenSession(Protocol):
    """Makes a session with the operator's limits of time and size, whose requests are counted."""

    def __call__(
        self,
        auth: ks_plugin.BaseAuthPlugin | None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
    ) -> ks_session.Session: ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class DriverContext:
    """What a driver is made from.

    :param session: authenticated at Keystone, with the operator's TLS settings and time-outs.
    :param region_name: region of the endpoint in the catalog; None: any.
    :param interface: interface of the endpoint in the catalog (public, internal, admin).
    :param options: the values of the driver's options, by name.
    :param open_session: for a service that does not authenticate at Keystone.
    """

    session: ks_session.Session
    region_name: str | None
    interface: str
    options: Mapping[str, Any]
    open_session: OpenSession


class TelemetryDriver(abc.ABC):
    """Reads samples from a telemetry service.

    Drivers are entry points of the group ``distil.telemetry``, chosen by name with ``[collector] collector_backend``.
    Constructing one sends nothing. A collector's threads share it and may send several queries at once.

    :cvar service_type: type of the service, by which metrics count the driver's requests.
    :cvar guarantees: what it guarantees of its samples.
    :cvar options: its options (of oslo.config), whose group has the name of the driver.
    :cvar reads_all_projects: whether it reads a period of all projects at once, so that one period at a time should be
        asked for, and asking for few projects costs as much as asking for all.
    :ivar lag: after the end of a period, before its samples can be expected to be there.
    :ivar source: that of all samples; None: each has its own.
    :param session: authenticated, with the operator's TLS settings and time-outs.
    :param region_name: region of the endpoint in the catalog; None: any.
    :param interface: interface of the endpoint in the catalog (public, internal, admin).
    """

    service_type: ClassVar[str] = "metering"
    guarantees: ClassVar[frozenset[Guarantee]] = frozenset()
    options: ClassVar[Sequence[Any]] = ()
    reads_all_projects: ClassVar[bool] = False
    lag: datetime.timedelta = datetime.timedelta(0)
    source: str | None = None

    def __init__(self, session: ks_session.Session, region_name: str | None, interface: str) -> None:
        self._session = session
        self._region_name = region_name
        self._interface = interface

    @classmethod
    def create(cls, context: DriverContext) -> Self:
        """Make the driver. One that has options, or a service of its own, overrides this.

        :raises ConfigurationError: an option, or a file that it names, cannot be used.
        """
        return cls(context.session, context.region_name, context.interface)

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
        :raises PeriodIncomplete: samples of the period are still to come, or cannot be read any more.
        :raises TelemetryError: the service gave no usable answer, or an incomplete one.
        """

    def counts(
        self,
        meters: Collection[str],
        start: datetime.datetime,
        end: datetime.datetime,
        length: datetime.timedelta,
    ) -> Iterator[SampleCount] | None:
        """How many samples every project has of each meter, by parts of a period; None if it costs as much as samples.

        They are compared with what was collected: each number is that of the samples that :meth:`samples` would yield
        for the part, of any source, with those that are there twice. Parts without samples need not be yielded. What
        may be incomplete is an error: a wrong number is worse than none.

        :param start: aware, in UTC, like ``end``.
        :param length: of a part; the parts begin at ``start``, and together are the period.
        :raises TelemetryError: the service gave no usable answer, or an incomplete one.
        """
        return None

    def served(self, meter: str) -> ServedMeter | None:
        """What the samples of a meter hold; None if the driver's configuration does not say where to find them."""
        return ServedMeter()

    def require_answer(self) -> None:
        """Ask the service a question that concerns no project, in the way in which samples are requested.

        After each request that failed, the collector finds out so whether all projects are affected. A driver that does
        not override this has each project fail on its own.

        :raises TelemetryError: the service gave no usable answer.
        """

    def problems(self) -> Iterator[str]:
        """For checks of a configuration: a sentence for each reason why the service does not show what it has.

        :raises TelemetryError: the service gave no usable answer.
        """
        yield from ()

    def warnings(self) -> Iterator[str]:
        """For checks of a configuration: a sentence for each reason why usage may be lost, as after an outage.

        :raises TelemetryError: the service gave no usable answer.
        """
        yield from ()

    def report(self, meter: str, start: datetime.datetime, end: datetime.datetime) -> MeterReport:
        """For checks of a configuration: what the service has of a meter of any project in [start, end).

        A driver that can find out cheaply overrides this.

        :raises TelemetryError: the service gave no usable answer.
        """
        return MeterReport(MeterPresence.UNKNOWN)
