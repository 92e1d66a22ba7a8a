# SPDX-License-Identifier: Apache-2.0
"""A metric that Prometheus scrapes from an exporter."""

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping

from distil.sandbox.data.meters import METERS
from distil.sandbox.data.meters import MeteredResource
from distil.sandbox.data.meters import version_at

Labels = dict[str, str]

LabelFunction = Callable[[MeteredResource, int], Labels]
"""Computes labels from a resource and a tick."""

ValueFunction = Callable[[MeteredResource, int], float]
"""Computes a value from a resource and a tick."""


@dataclasses.dataclass(frozen=True, slots=True)
class ScrapedMetric:
    """A metric of all resources of a kind.

    :param meter: whose samples it has.
    :param project_label: the label with the project's ID.
    :param labels: the other labels, without those of the target.
    :param value: of a counter, what each tick adds.
    :param has_status_label: whether labels differ by tick, not by the resource's version only.
    """

    name: str
    job: str
    meter: str
    project_label: str
    labels: LabelFunction
    value: ValueFunction
    is_counter: bool = False
    has_status_label: bool = False


def metadata_at(meter: str, resource: MeteredResource, tick: int) -> Mapping[str, str]:
    """Return the metadata of a resource's sample."""
    return METERS[meter].metadata(resource, version_at(resource.index, tick))


def coded_status(meter: str, codes: Mapping[str, float]) -> ValueFunction:
    """Return a function that computes the code of the status in a meter's samples."""
    return lambda resource, tick: codes[metadata_at(meter, resource, tick)["status"]]
