# SPDX-License-Identifier: Apache-2.0
"""Synthetic samples of every resource of every project, at any time.

Nothing is stored. A sample depends only on seed, project, meter, resource and tick, so that a test can compute the
expected usage, and a cloud of 10,000 projects needs no more memory than one of ten.
"""

import dataclasses
import datetime
import functools
import itertools
import json
import operator
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from distil.sandbox.data import ids
from distil.sandbox.data.meters import METERS
from distil.sandbox.data.meters import Meter
from distil.sandbox.data.meters import MeteredResource
from distil.sandbox.data.meters import metered_resource
from distil.sandbox.data.meters import version_at
from distil.sandbox.data.meters import versions
from distil.sandbox.query import intervals
from distil.sandbox.query.intervals import IntervalSet

# Between two samples of a resource, in microseconds.
INTERVAL_US = 600_000_000

# Offsets within the interval. Most pollsters measure all resources at once, so that samples share their timestamp; some
# samples are not at whole seconds.
_PHASES_US = (0, 0, 7_000_250, 0)

# Field names of ``GET /v2/meters/NAME``.
LEGACY_FIELD_NAMES = {
    "meter": "counter_name",
    "type": "counter_type",
    "unit": "counter_unit",
    "volume": "counter_volume",
    "metadata": "resource_metadata",
    "id": "message_id",
}


def phase_us(index: int) -> int:
    """Return the offset of a resource's samples within the interval, in microseconds."""
    return _PHASES_US[index % len(_PHASES_US)]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The samples of one meter for one version of a resource.

    :param phase_us: offset of the samples within the interval, in microseconds.
    """

    resource: MeteredResource
    version: int
    meter: Meter
    source: str
    metadata: Mapping[str, str]
    phase_us: int

    @classmethod
    def create(cls, seed: int, project: int, name: str, index: int, version: int) -> "Series":
        meter = METERS[name]
        resource = metered_resource(seed, project, name, index)
        source = resource.project_id + meter.source if meter.source.startswith(":") else meter.source
        return cls(resource, version, meter, source, meter.metadata(resource, version), phase_us(index))

    def sample_times(self, within: IntervalSet) -> Iterator[int]:
        """Return the times of the samples in bounded intervals, in microseconds."""
        for start, end in within.intervals:
            first = start + (self.phase_us - start) % INTERVAL_US
            times = range(first, end, INTERVAL_US)
            yield from (time for time in times if self._is_current(time)) if self._changes() else times

    def field_value(self, field: str) -> Any:
        if field.startswith("metadata."):
            return self.metadata.get(field.removeprefix("metadata."))
        return self._attributes().get(field)

    def json_template(self, legacy: bool) -> str:
        """Return a sample as JSON with ``%`` placeholders for tick, two timestamps and volume.

        :param legacy: whether to use the field names of ``GET /v2/meters/NAME``.
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
        """Return the sample at a time as JSON."""
        tick = time_us // INTERVAL_US
        timestamp = _format_timestamp(time_us)
        return template % (tick, timestamp, timestamp, self.meter.volume(self.resource, tick))

    def _changes(self) -> bool:
        return len(versions(self.resource.index)) > 1

    def _is_current(self, time_us: int) -> bool:
        return version_at(self.resource.index, time_us // INTERVAL_US) == self.version

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
    """Generates the samples of the metered projects.

    :param project_numbers: of the metered projects.
    :param resources_per_project: for each meter.
    :param start: aware; of the first samples.
    :param end: aware; None for the current time.
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

    def period(self) -> IntervalSet:
        """Return the one interval that has samples, which ends now unless it has a fixed end."""
        return IntervalSet.between(self.start, self._end or datetime.datetime.now(datetime.UTC))

    def series(self, project: int, meter: Meter) -> list[Series]:
        """Return a series for each version of each resource of a project, sorted by resource.

        :param project: the project's number.
        """
        if project not in self.project_numbers:
            return []
        indexes = range(self.resources_per_project)
        return [self._series(project, meter.name, index, version) for index in indexes for version in versions(index)]

    def samples(
        self, project_id: str, meter: str, start: datetime.datetime, end: datetime.datetime
    ) -> Iterator[dict[str, Any]]:
        """Return the samples of a project's meter in [start, end) as the API does, sorted by resource, then time."""
        number = ids.project_number(self.seed, project_id)
        if number is None or meter not in METERS:
            return
        times = IntervalSet.between(start, end) & self.period()
        for _, group in itertools.groupby(self.series(number, METERS[meter]), lambda series: series.resource.index):
            found = [(time_us, series) for series in group for time_us in series.sample_times(times)]
            for time_us, series in sorted(found, key=operator.itemgetter(0)):
                yield json.loads(series.fill_template(self.json_template(series, False), time_us))


@functools.lru_cache(maxsize=4096)
def _format_timestamp(time_us: int) -> str:
    """Format a time as Ceilometer does: without a zone, and with a fraction only if there is one."""
    return intervals.from_microseconds(time_us).replace(tzinfo=None).isoformat()
