# SPDX-License-Identifier: Apache-2.0
"""The meters file of Prometheus: which series the samples of a meter are made of."""

import dataclasses
import enum
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from distil.telemetry import meters_file
from distil.telemetry.entry_parser import EntryParser
from distil.telemetry.meter_entry import MeterEntry
from distil.telemetry.prometheus.selector import Selector
from distil.text import short_repr
from distil.transformers.options import unknown_name

_KEYS = ("selector", "kind", "labels", "up", "first_sample")
_REQUIRED_LABELS = ("project", "resource")
_LABELS = (*_REQUIRED_LABELS, "unit")
_NO_SERIES = Selector("")


class Kind(enum.StrEnum):
    """What the values of a series are."""

    GAUGE = "gauge"
    COUNTER = "counter"


class FirstSample(enum.StrEnum):
    """What the first sample of a counter says: where counting begins, or all that was counted before."""

    BASELINE = "baseline"
    FROM_ZERO = "from_zero"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusMeter(MeterEntry):
    """One entry of the file. Where it is unavailable, the fields below mean nothing.

    :param up: series that are not 0 while the samples are complete, as the ``up`` of a job.
    :param project_label: the label that holds the id of the project.
    :param resource_label: the label that holds the id of the resource.
    :param unit_label: the label that holds the unit; None: the entry has the unit.
    :param first_sample: of a resource; only of counters.
    """

    selector: Selector = _NO_SERIES
    kind: Kind = Kind.GAUGE
    up: Selector = _NO_SERIES
    project_label: str = ""
    resource_label: str = ""
    unit_label: str | None = None
    first_sample: FirstSample = FirstSample.BASELINE

    @property
    def label_names(self) -> frozenset[str]:
        """The labels that its samples are made of."""
        sources = (self.volume, *self.metadata.values())
        names = [self.project_label, self.resource_label, self.unit_label, *(source.field for source in sources)]
        return frozenset(filter(None, names))


def load(path: str) -> Sequence[PrometheusMeter]:
    """:raises ConfigurationError: with all problems of the file."""
    return meters_file.load(path, _parse, "label")


def _parse(parser: EntryParser) -> PrometheusMeter | None:
    """The entry; None, or one that is discarded, if it has problems."""
    common = parser.common(_KEYS)
    if parser.is_unavailable:
        return PrometheusMeter(**common)
    labels = _labels(parser)
    kind = Kind(parser.choice("kind", tuple(Kind)))
    first_sample = FirstSample(parser.choice("first_sample", tuple(FirstSample)))
    if kind is Kind.GAUGE and parser.get("first_sample") is not None:
        parser.problems.append("first_sample has no effect on a gauge")
    if kind is Kind.COUNTER and parser.get("volume") is not None:
        parser.problems.append("volume has no effect on a counter: it is what was counted")
    if (parser.get("unit") is None) == ("unit" not in labels):
        parser.problems.append("must have either unit or labels.unit")
    selector, up = _selector(parser, "selector"), _selector(parser, "up")
    if selector is None or up is None or not all(label in labels for label in _REQUIRED_LABELS):
        return None
    meter = PrometheusMeter(
        **common,
        selector=selector,
        kind=kind,
        up=up,
        project_label=labels["project"],
        resource_label=labels["resource"],
        unit_label=labels.get("unit"),
        first_sample=first_sample,
    )
    if meter.metrics:
        parser.problems.append(
            "metric cannot be a source of values: join what other metrics have by a recording rule of Prometheus"
        )
    return meter


def _selector(parser: EntryParser, key: str) -> Selector | None:
    """A required selector; None after a problem."""
    before = len(parser.problems)
    text = parser.text(key)
    if len(parser.problems) > before:
        return None
    try:
        return Selector.parse(text)
    except ValueError:
        parser.problems.append(
            f"{key} must be a metric's name, with conditions on labels if needed, as in"
            f' openstack_cinder_volume_gb{{status!="error"}}, not {short_repr(text)}'
        )
        return None


def _labels(parser: EntryParser) -> dict[str, str]:
    """Those labels of the entry that are right."""
    value = parser.get("labels")
    if not isinstance(value, Mapping):
        parser.problems.append(f"labels must name the labels of project and resource, not {short_repr(value)}")
        return {}
    parser.problems += [unknown_name("label", str(key), _LABELS) for key in value if key not in _LABELS]
    missing = [key for key in _REQUIRED_LABELS if value.get(key) is None]
    parser.problems += [f"labels.{key} is missing" for key in missing]
    return {key: name for key in _LABELS if (name := _label(parser, key, value.get(key))) is not None}


def _label(parser: EntryParser, key: str, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and value:
        return value
    parser.problems.append(f"labels.{key} must be the name of a label, not {short_repr(value)}")
    return None
