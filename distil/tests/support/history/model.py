# SPDX-License-Identifier: Apache-2.0
"""What happened to the resources of a small cloud, and when telemetry measured them."""

import bisect
import datetime
import enum
import itertools
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from distil import model

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


class Flavor(NamedTuple):
    """:ivar disk: in GiB."""

    id: str
    name: str
    disk: int


FLAVORS = (
    Flavor("28153197-6690-4485-9dbc-fc24489b0683", "c1.c1r1", 10),
    Flavor("6371ec4a-47d1-4159-a42f-83b84b80eea7", "c1.c2r4", 20),
    Flavor("42", "c1.c4r8", 40),
)

VOLUME_TYPES = {
    "5b1ea1a0-9cfb-4a3b-a7ee-0b9c4b5f0fd1": "b1.standard",
    "7e9d4c8e-3a5e-4f0e-8a51-2a9a6f1f7f52": "b1.sr-r3-nvme-1000",
}
"""Names of volume types by id."""

DATABASE_VOLUMES = {
    "0b6b8a3e-4ad3-4c8b-8a6c-3c1de0fb4f3a": "b1.standard",
    "d1b9f0c3-0b2f-4d88-9e65-c1c7a0d3a753": "b1.sr-r3-nvme-1000",
}
"""Names of the types of databases' volumes by the volume's id."""

CONTAINER_POLICIES = {"web": "o1.sr-r3", "with blanks": "o1.standard"}
"""Storage policies by the name of the container; the others have none."""


class Kind(enum.Enum):
    """Kinds of resources, and the meters that measure them."""

    INSTANCE = ("instance",)
    VOLUME = ("volume.size",)
    FLOATING_IP = ("ip.floating",)
    IMAGE = ("image.size",)
    NETWORK = ("network",)
    ROUTER = ("router",)
    VPN = ("network.services.vpn",)
    LOAD_BALANCER = ("network.services.octavia.loadbalancer",)
    DATABASE = ("database.instance",)
    CLUSTER = ("cim.coe.cluster",)
    TRAFFIC = tuple(
        f"traffic.{direction}.{where}"
        for direction in ("outbound", "inbound")
        for where in ("international", "national")
    )
    CONTAINER = (
        "storage.containers.objects.size",
        *(
            f"storage.objects.{direction}load.size.{where}"
            for direction in ("up", "down")
            for where in ("international", "national")
        ),
    )

    @property
    def gauge(self) -> str | None:
        """The meter whose samples are the size of the resource; None without one."""
        return None if self is Kind.TRAFFIC else self.value[0]

    @property
    def counters(self) -> tuple[str, ...]:
        """The meters whose samples are what was counted since the sample before."""
        return tuple(meter for meter in self.value if meter != self.gauge)


class State(NamedTuple):
    """What a resource is from a time on.

    :ivar fields: names and values, of the kind.
    :ivar size: what the gauge of the kind measures, unless it measures the field ``code``.
    """

    since: datetime.datetime
    project_id: str
    fields: Mapping[str, Any]
    size: int = 1


class Poll(NamedTuple):
    """A time at which a resource is measured.

    :ivar amount: what each counter has counted since the poll before; that of the n-th counter is n times as much.
    :ivar is_restart: whether the counters began again at zero after the poll before, when they had counted nothing yet.
    """

    time: datetime.datetime
    amount: int = 0
    is_restart: bool = False


class Schedule(NamedTuple):
    """When a resource is polled.

    :ivar poll_count: with those that fail.
    :ivar failed: the numbers of those that fail.
    :ivar amounts: of the polls that do not fail, in turn.
    :ivar restarts: the numbers, among the polls that do not fail, of those that are restarts.
    """

    first: datetime.datetime
    interval: datetime.timedelta
    poll_count: int
    failed: Collection[int] = ()
    amounts: Sequence[int] = (0,)
    restarts: Collection[int] = ()

    def polls(self) -> Iterator[Poll]:
        """Those that do not fail, in the order of time."""
        times = [self.first + number * self.interval for number in range(self.poll_count) if number not in self.failed]
        for number, time in enumerate(times):
            yield Poll(time, self.amounts[number % len(self.amounts)], number in self.restarts)


class Resource(NamedTuple):
    """:ivar states: the first is from the creation on.
    :ivar end: the time of the deletion; None: it exists after the history.
    """

    kind: Kind
    id: str
    states: Sequence[State]
    schedule: Schedule
    end: datetime.datetime | None = None

    @property
    def polls(self) -> Sequence[Poll]:
        return tuple(self.schedule.polls())

    def state_at(self, time: datetime.datetime) -> State:
        """The state in force."""
        return self.states[bisect.bisect_right(self.states, time, key=lambda state: state.since) - 1]

    def counted(self) -> Iterator[int]:
        """What a counter with the amounts of the polls shows at each of them."""
        total = 0
        for poll in self.polls:
            total = poll.amount + (0 if poll.is_restart else total)
            yield total


class Measurement(NamedTuple):
    """What one poll found out of one meter.

    :ivar volume: as Ceilometer's samples have it.
    """

    resource: Resource
    meter: str
    time: datetime.datetime
    state: State
    volume: int

    @property
    def project_id(self) -> str:
        return self.state.project_id


class History(NamedTuple):
    """:ivar windows: that are billed; adjoining, and in order."""

    resources: Sequence[Resource]
    windows: Sequence[model.Window]

    @property
    def projects(self) -> Sequence[str]:
        """All that ever had a resource, sorted."""
        return sorted({state.project_id for resource in self.resources for state in resource.states})

    def measurements(self) -> Iterator[Measurement]:
        """Everything that telemetry measured."""
        return itertools.chain.from_iterable(map(measurements, self.resources))


def measurements(resource: Resource) -> Iterator[Measurement]:
    """Everything that telemetry measured of a resource, in the order of time."""
    for poll in resource.polls:
        state = resource.state_at(poll.time)
        if resource.kind.gauge is not None:
            volume = state.fields.get("code", state.size)
            yield Measurement(resource, resource.kind.gauge, poll.time, state, volume)
        for factor, meter in enumerate(resource.kind.counters, start=1):
            yield Measurement(resource, meter, poll.time, state, factor * poll.amount)
