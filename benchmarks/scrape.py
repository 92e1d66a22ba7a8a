# SPDX-License-Identifier: Apache-2.0
"""What scrapes of many series take, and what they take from a collection."""

import concurrent.futures
import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from benchmarks.cloud import Cloud
from benchmarks.cloud import Size
from benchmarks.cloud import cloud
from benchmarks.deployment import site
from benchmarks.long_running import Resident
from benchmarks.long_running import resident
from benchmarks.results import Figure
from benchmarks.results import Result
from benchmarks.scale import Scale

# Seconds, and percents of the time without scrapes.
CPU, SLOWER = 1.0, 5.0


def scrape(scale: Scale) -> Result:
    """A collection without and with scrapes, in turns.

    :raises RuntimeError: a page does not show every series.
    """
    size = Size(scale.projects, scale.resources, scale.scrape_windows)
    with cloud(size) as its_cloud:
        rounds = [
            {"without": _collect(its_cloud, scale, None), "with": _collect(its_cloud, scale, scale.scrape_interval)}
            for _ in range(scale.rounds)
        ]
    scrapes = [each["scrape"] for a_round in rounds for each in a_round.values()]
    if {each["series"] for each in scrapes} != {scale.series}:
        raise RuntimeError(f"a page does not show {scale.series} series: {scrapes}")
    slower, dearer = (
        [(each["with"]["run"][what] / each["without"]["run"][what] - 1) * 100 for each in rounds]
        for what in ("wall", "cpu")
    )
    figures = [
        Figure(f"CPU of a scrape of {scale.series:,} usage series", "s", [each["cpu"] for each in scrapes], CPU),
        Figure("length of a page", "MiB", [each["bytes"] / 2**20 for each in scrapes]),
        Figure(f"a run, slower under a scrape every {scale.scrape_interval:g} s", "%", slower, SLOWER),
        Figure("CPU of that run, scrapes included, more than without", "%", dearer),
        Figure("wall time of a run without scrapes", "s", [each["without"]["run"]["wall"] for each in rounds]),
        Figure("scrapes in a run", "", [each["with"]["scrapes"] for each in rounds]),
    ]
    return Result(figures, rounds)


def _collect(its_cloud: Cloud, scale: Scale, interval: float | None) -> dict[str, Any]:
    with site(its_cloud) as its, resident(its, scale.series) as collector:
        alone = _scrape(collector)
        with _every(interval, collector) as pages:
            took = collector.run(its.end(its_cloud.size.windows))
        return {"scrape": alone, "run": took, "scrapes": len(pages)}


def _scrape(collector: Resident) -> dict[str, float]:
    """The process's CPU for one scrape, in seconds, and the page's number of series and its length in bytes."""
    before = collector.cpu()
    page = collector.page()
    cpu = collector.cpu() - before
    return {"cpu": cpu, "series": page.count(b"\ndistil_collector_usage_total{"), "bytes": len(page)}


@contextlib.contextmanager
def _every(seconds: float | None, collector: Resident) -> Iterator[list[int]]:
    """Scrapes meanwhile, the first when half of the time has passed. The list receives the pages' lengths.

    :param seconds: from one to the next; None: there are none.
    """
    lengths: list[int] = []
    if seconds is None:
        yield lengths
        return
    over = threading.Event()

    def go_on(pause: float) -> None:
        while not over.wait(pause):
            lengths.append(len(collector.page()))
            pause = seconds

    with concurrent.futures.ThreadPoolExecutor() as executor:
        scrapes = executor.submit(go_on, seconds / 2)
        try:
            yield lengths
        finally:
            over.set()
        scrapes.result()
