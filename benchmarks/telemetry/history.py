# SPDX-License-Identifier: Apache-2.0
"""The usage that every telemetry service is given."""

import dataclasses
import datetime
import uuid
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

from distil.tests.support.site import HOUR

INTERVAL = datetime.timedelta(minutes=5)
"""Between two measurements of a resource."""

INSTANCE = "instance"
TRAFFIC = "traffic.outbound.international"
METERS = (INSTANCE, TRAFFIC)

_FLAVORS = ("c1.c1r1", "c1.c2r4", "c1.c4r8")
_MAX_AMOUNT = 10_000_000


class Resource(NamedTuple):
    """An instance, or a router of which the traffic is measured."""

    id: str
    project_id: str
    number: int

    @property
    def name(self) -> str:
        return f"resource-{self.number}"

    @property
    def host(self) -> str:
        return f"compute-{self.number % 20}"

    @property
    def flavor(self) -> str:
        return _FLAVORS[self.number % len(_FLAVORS)]

    def amount(self, tick: int) -> int:
        """Bytes of traffic since the tick before; as they look random, no two of them compress well."""
        return (self.number * 7_919 + tick * 104_729) * 15_485_863 % _MAX_AMOUNT


@dataclasses.dataclass(frozen=True)
class History:
    """Measurements of instances, whose state never changes, and of routers.

    :param projects: ids.
    :param resources: number of resources of each project for each meter.
    :param start: of the first hour that is collected; measurements begin an hour before.
    :param hours: number of those that are collected.
    """

    projects: Sequence[str]
    resources: int
    start: datetime.datetime
    hours: int

    @property
    def times(self) -> Sequence[datetime.datetime]:
        """The times of the measurements; the number of each is its tick."""
        first = self.start - HOUR
        return [first + tick * INTERVAL for tick in range((self.hours + 1) * (HOUR // INTERVAL))]

    def resources_of(self, meter: str) -> Iterator[Resource]:
        for number in range(len(self.projects) * self.resources):
            resource_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{meter}/{number}"))
            yield Resource(resource_id, self.projects[number // self.resources], number)
