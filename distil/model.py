# SPDX-License-Identifier: Apache-2.0
"""The values of the data path.

All of them are frozen: a step returns new values. Times are timezone-aware and in UTC, volumes are Decimal.

Values made in great numbers are msgspec structs: frozen like dataclasses, constructed in C at a fifth of the cost.
"""

import dataclasses
import datetime
import enum
import functools
from collections.abc import Iterator
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from typing import NamedTuple
from typing import Self

import msgspec

from distil import exceptions

# Lengths of the database's columns in characters, and its decimal places. A sample that does not fit is rejected.
MAX_RESOURCE_ID = 400
MAX_SERVICE = 260
MAX_UNIT = 100
SCALE = 10


def parse_time(value: object) -> datetime.datetime:
    """Parse an ISO 8601 time in extended format, with or without fraction and zone, to an aware time in UTC.

    :raises ValueError: the value is not such a text.
    """
    # fromisoformat accepts a bare number, too, and takes 1764010112345 for a day in 1764.
    if not isinstance(value, str) or value[4:5] != "-":
        raise ValueError("it does not begin with year-month-day")
    return _parse_time(value)


# Cached: samples of one polling cycle share their time.
@functools.lru_cache(maxsize=4096)
def _parse_time(value: str) -> datetime.datetime:
    time = datetime.datetime.fromisoformat(value)
    try:
        return time.replace(tzinfo=datetime.UTC) if time.tzinfo is None else time.astimezone(datetime.UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from error


@dataclasses.dataclass(frozen=True, slots=True)
class Project:
    """A Keystone project.

    :param created_on: the optional extra attribute ``created_on``, unparsed.
    """

    id: str
    name: str
    domain_id: str
    description: str = ""
    created_on: str | None = None


class CollectedBy(NamedTuple):
    """What stored the last window of a project.

    :param telemetry: name of the driver and region of its service, as in ``ceilometer/RegionOne``.
    :param collector: name of the collector.
    :param rules: digest of its rules.
    """

    telemetry: str
    collector: str
    rules: str


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

    def split(self, length: datetime.timedelta) -> Iterator[Self]:
        """Its parts of a length; the last one may be shorter."""
        start = self.start
        while start < self.end:
            end = min(start + length, self.end)
            yield type(self)(start, end)
            start = end

    def __contains__(self, time: datetime.datetime) -> bool:
        return self.start <= time < self.end

    def __str__(self) -> str:
        return f"[{self.start:%Y-%m-%dT%H:%M:%SZ}, {self.end:%Y-%m-%dT%H:%M:%SZ})"


class Sample(msgspec.Struct, frozen=True, gc=False):
    """One measurement of a meter.

    :param volume: a Decimal if the telemetry service returned a number, else the unchanged value. Only a sample that is
        prepared for a transformer is guaranteed to have a Decimal (or None, for null).
    :param metadata: that of the document, with null for the text ``None``.
    :param document: the sample as the telemetry service returned it: the input of filters, stored if the sample is
        rejected.
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
    """A sample that cannot be used.

    :param resource_id: None where the sample has no readable one.
    :param reason: sentence for operators.
    :param kind: label for metrics.
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
    :param info: type and metadata from this window's samples.
    """

    id: str
    info: Mapping[str, Any]


class Usage(msgspec.Struct, frozen=True, gc=False):
    """One resource's usage of one service in one window.

    :param volume: in ``unit``, with ten decimal places (the scale of the database's column).
    """

    service: str
    resource_id: str
    unit: str
    volume: Decimal


class DuplicateContent(enum.StrEnum):
    """The content of a sample that was delivered again, compared with that of the sample that counts."""

    IDENTICAL = "identical"
    CHANGED = "changed"


@dataclasses.dataclass(frozen=True)
class RatedWindow:
    """The usage of one project and window, and everything else that is stored with it.

    :param instances: the last sample of each virtual machine, by stored id.
    :param samples: number of samples that the telemetry service returned.
    :param used: the samples among them that were used for billing, each once.
    :param untrusted: number of samples among them whose source is not trusted.
    :param duplicates: number of samples among them that were left out because they were delivered again.
    """

    usage: tuple[Usage, ...]
    resources: tuple[Resource, ...]
    rejected: tuple[RejectedSample, ...]
    instances: Mapping[str, Sample]
    samples: int
    used: tuple[Sample, ...]
    untrusted: int
    duplicates: Mapping[DuplicateContent, int] = dataclasses.field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether no trusted source had a sample."""
        return self.samples == self.untrusted


class MeterCount(NamedTuple):
    """What a window had of a meter.

    :param samples: number of samples that the telemetry service returned, of any source.
    :param resources: number of resources that they are of.
    :param unit: of one of them; None if it has none.
    """

    samples: int
    resources: int
    unit: str | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Receipt:
    """What went into a window and what came out of it.

    :param samples: number of samples that the telemetry service returned.
    :param used: number of samples among them that were used for billing.
    :param untrusted: number of samples among them whose source is not trusted.
    :param duplicates: number of samples among them that were left out because they were delivered again.
    :param rejected: number of rejected samples that are stored: a sample counts once for each reason.
    :param entries: number of usage entries.
    :param meters: by name, of those that have samples.
    :param samples_digest: see :mod:`distil.digest`, as of ``usage_digest``.
    """

    samples: int
    used: int
    untrusted: int
    duplicates: int
    rejected: int
    entries: int
    meters: Mapping[str, MeterCount]
    samples_digest: str
    usage_digest: str
