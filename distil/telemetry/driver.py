# SPDX-License-Identifier: Apache-2.0
"""What a telemetry driver is."""

import abc
import datetime
from collections.abc import Collection
from collections.abc import Iterator
from typing import ClassVar

from keystoneauth1 import session as ks_session

from distil import model


class TelemetryDriver(abc.ABC):
    """Answers questions (projects, meters, period) with samples.

    Drivers are found in the ``distil.telemetry`` namespace, by the name that ``[collector] collector_backend`` gives.
    Constructing one sends nothing. A collector's threads share it, so that several questions are asked at once.

    :cvar service_type: of the service that it asks, which its requests are counted by.
    :param session: authenticated, with the operator's TLS settings and time-outs.
    :param region_name: region of the catalog's endpoint; None is any.
    :param interface: interface of the catalog's endpoint (public, internal, admin).
    """

    service_type: ClassVar[str] = "metering"

    def __init__(self, session: ks_session.Session, region_name: str | None, interface: str) -> None:
        self._session = session
        self._region_name = region_name
        self._interface = interface

    @abc.abstractmethod
    def samples(
        self,
        projects: Collection[str],
        meters: Collection[str],
        start: datetime.datetime,
        end: datetime.datetime,
    ) -> Iterator[model.Sample | model.RejectedSample]:
        """Every sample of the projects (ids) and meters (names) in [start, end), each once, in any order.

        The driver decides how few requests answer the question. An answer that may have been cut is an error, and
        what has been yielded before an error is to be thrown away. A sample outside the question is never yielded;
        one that cannot be read is yielded as a RejectedSample.

        :param start: aware, in UTC; so is ``end``.
        :raises TelemetryError: there is no answer, or it is not whole.
        """

    def has_samples(self, meter: str, start: datetime.datetime, end: datetime.datetime) -> bool | None:
        """Whether there are samples of a meter in [start, end), of whichever project.

        For an operator who checks a configuration: a driver that can tell at small cost does, another one leaves it.

        :returns: None where the driver cannot tell.
        :raises TelemetryError: there is no answer.
        """
