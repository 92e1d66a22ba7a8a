# SPDX-License-Identifier: Apache-2.0
"""Synthetic usage: what every resource of every project was measured to use, at any time.

Nothing is stored. A sample follows from (seed, project, meter, resource, tick), so that a test can compute what must
be billed, and a cloud of 10,000 projects needs no more memory than one of ten.
"""

import dataclasses
import datetime
import functools
import json
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from distil.sandbox.data import ids
from distil.sandbox.data import resources
from distil.sandbox.data.meters import METERS
from distil.sandbox.data.meters import Meter
from distil.sandbox.data.meters import MeteredResource
from distil.sandbox.query import intervals

_INTERVAL_US = 600_000_000  # microseconds between the samples of a resource

# Most pollsters measure everything at once, which makes ties; some samples lie between seconds.
_PHASES = (0, 0, 7_000_250, 0)

# What ``GET /v2/meters/NAME`` calls the keys of a sample.
LEGACY_FIELD_NAMES = {
    "meter": "counter_name",
    "type": "counter_type",
    "unit": "counter_unit",
    "volume": "counter_volume",
    "metadata": "resource_metadata",
    "id": "message_id",
}


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The samples of one meter for one resource."""

    resource: MeteredResource
    meter: Meter
    source: str
    metadata: Mapping[str, str]
    phase_us: int

    @classmethod
    def create(cls, seed: int, project: int, name: str, index: int) -> "Series":
        meter = METERS[name]
        project_id = ids.project_id(seed, project)
        salt = int(ids.stable_id(seed, project, meter.name, index)[:8], 16)
        identity = resources.telemetry_id(seed, meter.kind, project, index)
        resource = MeteredResource(seed, project, project_id, index, identity, salt)
        source = project_id + meter.source if meter.source.startswith(":") else meter.source
        return cls(resource, meter, source, meter.metadata(resource), _PHASES[index % len(_PHASES)])

    def sample_times(self, wanted: intervals.Intervals) -> Iterator[int]:
        """The microseconds of this series' samples in bounded periods."""
        for start, end in wanted:
            first = start + (self.phase_us - start) % _INTERVAL_US
            yield from range(first, end, _INTERVAL_US)

    def field_value(self, field: str) -> Any:
        """What a question compares with; None where the samples lack the field."""
        if field.startswith("metadata."):
            return self.metadata.get(field.removeprefix("metadata."))
        return self._attributes().get(field)

    def json_template(self, legacy: bool) -> str:
        """A sample's JSON; to be filled with tick, two timestamps and the volume.

        :param old: as ``GET /v2/meters/NAME`` names the keys.
        """
        names = LEGACY_FIELD_NAMES if legacy else {}
        constant: dict[str, Any] = {names.get(key, key): value for key, value in self._attributes().items()}
        constant[names.get("metadata", "metadata")] = dict(self.metadata)
        head = json.dumps(constant)[:-1].replace("%", "%%")
        salt = ids.stable_id(self.resource.id, self.meter.name)[:16]
        return (
            f'{head}, "{names.get("id", "id")}": "{salt}%016x", "timestamp": "%s", "recorded_at": "%s",'
            f' "{names.get("volume", "volume")}": %r}}'
        )

    def fill_template(self, template: str, time_us: int) -> str:
        tick = time_us // _INTERVAL_US
        timestamp = _format_timestamp(time_us)
        return template % (tick, timestamp, timestamp, self.meter.volume(self.resource, tick))

    def _attributes(self) -> dict[str, str]:
        return {
            "project_id": self.resource.project_id,
            "user_id": ids.stable_id(self.resource.project_id, "user"),
            "resource_id": self.resource.id,
            "meter": self.meter.name,
            "type": self.meter.type,
            "unit": self.meter.unit,
            "source": self.source,
        }


class SyntheticSamples:
    """The usage of a cloud's projects.

    :param numbers: numbers of the projects that use anything.
    :param resources: how many resources each of them has for each meter.
    :param start: of the usage, aware; there is none before.
    :param end: of the usage; None is now, whenever it is asked for.
    """

    def __init__(
        self,
        seed: int,
        project_numbers: range,
        resources_per_project: int,
        start: datetime.datetime,
        end: datetime.datetime | None,
    ) -> None:
        self.seed = seed
        self.project_numbers = project_numbers
        self.resources_per_project = resources_per_project
        self.start = start
        self._end = end
        self._series = functools.lru_cache(maxsize=8192)(functools.partial(Series.create, seed))
        self.json_template = functools.lru_cache(maxsize=8192)(Series.json_template)

    @property
    def period(self) -> intervals.Intervals:
        """The period that has usage, up to now."""
        end = self._end or datetime.datetime.now(datetime.UTC)
        return ((intervals.to_microseconds(self.start), intervals.to_microseconds(end)),)

    def series(self, project: int, meter: Meter) -> list[Series]:
        """One for every resource of the project."""
        if project not in self.project_numbers:
            return []
        return [self._series(project, meter.name, index) for index in range(self.resources_per_project)]

    def samples(
        self, project_id: str, meter: str, start: datetime.datetime, end: datetime.datetime
    ) -> Iterator[dict[str, Any]]:
        """The samples of a project's meter in [start, end), as the API answers them, each resource's in time order."""
        number = ids.project_number(self.seed, project_id)
        if number is None or meter not in METERS:
            return
        asked = ((intervals.to_microseconds(start), intervals.to_microseconds(end)),)
        for series in self.series(number, METERS[meter]):
            template = self.json_template(series, False)
            for instant in series.sample_times(intervals.intersection(asked, self.period)):
                yield json.loads(series.fill_template(template, instant))


@functools.lru_cache(maxsize=4096)
def _format_timestamp(time_us: int) -> str:
    """As Ceilometer writes it: naive, with a fraction only where there is one."""
    return intervals.from_microseconds(time_us).replace(tzinfo=None).isoformat()
