# SPDX-License-Identifier: Apache-2.0
"""The bill of a history by a telemetry driver and the shipped meter mappings."""

import functools
from collections import defaultdict
from collections.abc import Collection
from decimal import Decimal

from distil import model
from distil.factory import rules
from distil.rating import rate
from distil.telemetry.driver import TelemetryDriver
from distil.tests.support.history.bill import Line
from distil.tests.support.history.model import CONTAINER_POLICIES
from distil.tests.support.history.model import DATABASE_VOLUMES
from distil.tests.support.history.model import FLAVORS
from distil.tests.support.history.model import VOLUME_TYPES
from distil.tests.support.history.model import History
from distil.tests.support.history.model import Kind
from distil.tests.support.site import ETC
from distil.transformers.lookups import Lookups


def rated_bill(driver: TelemetryDriver, history: History) -> dict[Line, Decimal]:
    """The volumes of all lines, as the driver's samples are rated.

    :raises AssertionError: a sample was rejected.
    """
    lines: dict[Line, Decimal] = {}
    for window in history.windows:
        for project_id, samples in _samples(driver, history, window).items():
            rated = rate.rate(_rules(), samples, window, _lookups(history))
            if rated.rejected:
                raise AssertionError(f"{window}, {project_id}: rejected: {rated.rejected}")
            lines |= {
                Line(window, project_id, usage.service, usage.resource_id, usage.unit): usage.volume
                for usage in rated.usage
            }
    return lines


@functools.cache
def _rules() -> rate.RatingRules:
    return rules.load_rules(str(ETC / "meter_mappings.yml"), str(ETC / "transformer.yml"), ()).rules


def _samples(
    driver: TelemetryDriver, history: History, window: model.Window
) -> dict[str, list[model.Sample | model.RejectedSample]]:
    samples: dict[str, list[model.Sample | model.RejectedSample]] = defaultdict(list)
    meters = [meter for resource in history.resources for meter in resource.kind.value]
    for sample in driver.samples(history.projects, meters, window.start, window.end):
        samples[sample.project_id].append(sample)
    return samples


def _lookups(history: History) -> Lookups:
    containers: Collection[str] = [resource.id for resource in history.resources if resource.kind is Kind.CONTAINER]
    names = {container: container.partition("/")[2] for container in containers}
    return Lookups(
        flavors={flavor.id: flavor.name for flavor in FLAVORS},
        volume_types=VOLUME_TYPES | {name: name for name in VOLUME_TYPES.values()},
        types_of_volumes=DATABASE_VOLUMES,
        container_policies={
            container: CONTAINER_POLICIES[name] for container, name in names.items() if name in CONTAINER_POLICIES
        },
    )
