# SPDX-License-Identifier: Apache-2.0
"""The meters file: where the samples of each meter are in Gnocchi."""

import dataclasses
import enum
from collections.abc import Mapping
from collections.abc import Sequence

from distil.telemetry import meters_file
from distil.telemetry.entry_parser import EntryParser
from distil.telemetry.meter_entry import MeterEntry

_OWN_KEYS = ("resource_type", "metric", "aggregations", "kind", "resource_id")

GAUGE_PREFERENCE = ("last", "max", "mean")
"""Which aggregation of a gauge is read if the file says nothing: the first that the metric keeps."""


class Kind(enum.StrEnum):
    """What a measure is: the state at a time, or the amount since the last measure."""

    GAUGE = "gauge"
    DELTA = "delta"


# Those of a state that are states; of amounts, what loses none.
_AGGREGATIONS: Mapping[Kind, Sequence[str]] = {
    Kind.GAUGE: ("last", "max", "mean", "median", "first", "min"),
    Kind.DELTA: ("sum",),
}


class ResourceID(enum.StrEnum):
    """How the id of a sample's resource is made from ``original_resource_id``.

    Ceilometer replaces each slash by an underscore: ``<project>/<container>`` becomes ``<project>_<container>``.
    """

    ORIGINAL = "original"
    CONTAINER = "container"

    def of(self, original_id: str, project_id: str) -> str:
        prefix = f"{project_id}_"
        if self is ResourceID.CONTAINER and original_id.startswith(prefix):
            return f"{project_id}/{original_id.removeprefix(prefix)}"
        return original_id


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GnocchiMeter(MeterEntry):
    """One entry of the meters file.

    :param metric: name of the metric with the volumes.
    :param aggregations: in order of preference: the first that the metric keeps is read.
    """

    resource_type: str = ""
    metric: str = ""
    aggregations: tuple[str, ...] = GAUGE_PREFERENCE
    kind: Kind = Kind.GAUGE
    resource_id: ResourceID = ResourceID.ORIGINAL


def load(path: str) -> Sequence[GnocchiMeter]:
    """Read the file.

    :raises ConfigurationError: with all problems of the file.
    """
    return meters_file.load(path, _EntryReader().read, "attribute")


class _EntryReader:
    """Reads the entries of one file in turn."""

    def __init__(self) -> None:
        self._places: set[tuple[str, str, str]] = set()

    def read(self, parser: EntryParser) -> GnocchiMeter:
        values = parser.common(_OWN_KEYS)
        if parser.is_unavailable:
            return GnocchiMeter(**values)
        kind = Kind(parser.choice("kind", list(Kind)))
        entry = GnocchiMeter(
            **values,
            resource_type=parser.text("resource_type"),
            metric=parser.text("metric"),
            aggregations=_aggregations(parser, kind),
            kind=kind,
            resource_id=ResourceID(parser.choice("resource_id", list(ResourceID))),
        )
        place = (entry.meter, entry.resource_type, entry.metric)
        if place in self._places:
            parser.problems.append("the same metric would be billed twice: an earlier entry has it for this meter, too")
        self._places.add(place)
        return entry


def _aggregations(parser: EntryParser, kind: Kind) -> tuple[str, ...]:
    allowed = _AGGREGATIONS[kind]
    aggregations = parser.texts("aggregations", GAUGE_PREFERENCE if kind is Kind.GAUGE else allowed)
    parser.problems += [
        f"aggregations of a {kind} can be {', '.join(allowed)}, not {aggregation}"
        for aggregation in aggregations
        if aggregation not in allowed
    ]
    return tuple(aggregations)
