# SPDX-License-Identifier: Apache-2.0
"""The values that travel along the data path.

All of them are frozen: a step returns new values and leaves alone what it was given. All times are
timezone-aware and in UTC, all volumes are Decimal.

Those of which there are many are msgspec's structs: frozen dataclasses that are made in C, at a fifth of the cost.
"""

import dataclasses
import datetime
import functools
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from distil import exceptions

# What the database's columns hold. A sample that would not fit is rejected before it gets there.
MAX_RESOURCE_ID = 400
MAX_SERVICE = 260
MAX_UNIT = 100
SCALE = 10


def parse_time(value: object) -> datetime.datetime:
    """An ISO 8601 time in its extended format, with or without fraction and zone, as an aware one in UTC.

    :raises ValueError: it is no such text.
    """
    # Python reads a lone number, too, and takes 1764010112345 for a day in 1764.
    if not isinstance(value, str) or value[4:5] != "-":
        raise ValueError("it does not begin with year-month-day")
    return _time(value)


# What is measured together has the same time.
@functools.lru_cache(maxsize=4096)
def _time(value: str) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(value)
    try:
        return moment.replace(tzinfo=datetime.UTC) if moment.tzinfo is None else moment.astimezone(datetime.UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from error


@dataclasses.dataclass(frozen=True, slots=True)
class Project:
    """A project as Keystone knows it.

    :param created_on: Keystone's optional extra attribute ``created_on``, as Keystone gave it.
    """

    id: str
    name: str
    domain_id: str
    description: str = ""
    created_on: str | None = None


@dataclasses.dataclass(frozen=True, order=True)
class Window:
    """A half-open interval [start, end) in UTC."""

    start: datetime.datetime
    end: datetime.datetime

    @functools.cached_property
    def seconds(self) -> Decimal:
        return Decimal(int((self.end - self.start).total_seconds()))

    @functools.cached_property
    def hours(self) -> Decimal:
        return self.seconds / 3600

    def __contains__(self, moment: datetime.datetime) -> bool:
        return self.start <= moment < self.end

    def __str__(self) -> str:
        return f"[{self.start:%Y-%m-%dT%H:%M:%SZ}, {self.end:%Y-%m-%dT%H:%M:%SZ})"


class Sample(msgspec.Struct, frozen=True, gc=False):
    """One datum of a meter.

    :param volume: a Decimal where the telemetry service gave a number, else as it came. A meter mapping may replace it
        and decides what it must be, so it is a Decimal (or None, for null) for certain only when the sample is rated.
    :param document: the sample as the telemetry service gave it: what filters look at and what is kept if the sample
        is rejected.
    """

    project_id: str
    meter: str
    resource_id: str
    timestamp: datetime.datetime
    volume: Any
    source: str
    metadata: Mapping[str, Any]
    document: Mapping[str, Any]


class RejectedSample(msgspec.Struct, frozen=True, gc=False):
    """A sample that cannot be used, and why.

    :param resource_id: None where the sample has no readable one.
    """

    project_id: str
    meter: str
    resource_id: str | None
    reason: str
    document: Mapping[str, Any]
    kind: exceptions.RejectionReason = exceptions.RejectionReason.DOCUMENT


class Resource(msgspec.Struct, frozen=True, gc=False):
    """A metered resource as it is stored.

    :param id: the stored id, which may differ from the id that telemetry uses.
    :param info: what this window's samples tell of it.
    """

    id: str
    info: Mapping[str, Any]


class Usage(msgspec.Struct, frozen=True, gc=False):
    """What one resource used of one service in one window.

    :param volume: in ``unit``, a multiple of 10 ** -10 (the scale of the database's column).
    """

    service: str
    resource_id: str
    unit: str
    volume: Decimal


@dataclasses.dataclass(frozen=True)
class RatedWindow:
    """What is to be stored for one project and window.

    :param instances: stored id of each virtual machine -> its last sample.
    :param samples: number of samples that telemetry returned.
    :param used: number of samples among them that a meter mapping billed by.
    :param untrusted: number of samples among them whose source is not trusted.
    """

    usage: tuple[Usage, ...]
    resources: tuple[Resource, ...]
    rejected: tuple[RejectedSample, ...]
    instances: Mapping[str, Sample]
    samples: int
    used: int
    untrusted: int
