# SPDX-License-Identifier: Apache-2.0
"""How large and how often everything is measured."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Scale:
    """The sizes of the project's targets, unless something else is said.

    :param rounds: how often, where things are measured in turns.
    :param latency: seconds before each answer, in the parts that have any.
    :param cloud_projects: of the large cloud; a tenth as many of the one that it is compared with.
    :param growth_projects: sizes of the clouds whose costs are compared, with ``resources`` of each meter.
    :param growth_resources: resources of each meter of the clouds whose costs are compared, with few projects.
    :param series: usage series in a scrape.
    :param scrape_interval: seconds from one scrape to the next.
    :param scrape_windows: length, in windows of each project, of the collections with and without scrapes.
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
)
