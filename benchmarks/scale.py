# SPDX-License-Identifier: Apache-2.0
"""Sizes and repetitions of the benchmark's parts."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Scale:
    """Sizes; the defaults are those of the targets.

    :param resources: number of resources of each project for each meter.
    :param windows: hours of samples.
    :param rounds: repetitions.
    :param latency: seconds before each response, in the parts with latency.
    :param cloud_projects: projects of the large cloud, which is compared with one a tenth as large.
    :param growth_projects: projects of the clouds compared with each other, with ``resources`` for each meter.
    :param growth_resources: resources for each meter in the clouds with ``few_projects`` compared with each other.
    :param series: usage series in a scrape.
    :param scrape_interval: seconds between scrapes.
    :param scrape_windows: windows of the collections with and without scrapes.
    :param telemetry_projects: projects of the real telemetry services.
    :param telemetry_resources: resources of each of them, for each of two meters.
    :param receipt_windows: windows that are committed with receipts, and as many without.
    """

    projects: int = 100
    resources: int = 5
    windows: int = 12
    rounds: int = 5
    latency: float = 0.02
    cloud_projects: int = 10_000
    growth_projects: tuple[int, ...] = (10, 100, 1_000)
    growth_resources: tuple[int, ...] = (1, 10, 100)
    few_projects: int = 20
    series: int = 100_000
    scrape_interval: float = 15.0
    scrape_windows: int = 36
    telemetry_projects: int = 50
    telemetry_resources: int = 10
    receipt_windows: int = 200


# The smallest sizes with which every part still runs completely.
SMOKE = Scale(
    projects=2,
    resources=2,
    windows=2,
    rounds=1,
    latency=0.001,
    cloud_projects=20,
    growth_projects=(3,),
    growth_resources=(3,),
    few_projects=1,
    series=100,
    scrape_interval=0.2,
    scrape_windows=2,
    telemetry_projects=2,
    telemetry_resources=2,
    receipt_windows=2,
)
