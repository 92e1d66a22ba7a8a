# SPDX-License-Identifier: Apache-2.0
"""Part ``scrape``: the cost of scraping many series, and its effect on a run."""

import concurrent.futures
import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from benchmarks import targets
from benchmarks.cloud import CloudProcess
from benchmarks.cloud import CloudSize
from benchmarks.cloud import running_cloud
from benchmarks.deployment import deployed
from benchmarks.long_running import LongRunningCollector
from benchmarks.long_running import long_running_collector
from benchmarks.results import BenchmarkResult
from benchmarks.results import Figure
from benchmarks.scale import Scale


def measure_scrapes(scale: Scale) -> BenchmarkResult:
    """Compare a run with and without scrapes, in alternation.

    :raises RuntimeError: a scrape lacks series.
    """
    size = CloudSize(scale.projects, scale.resources, scale.scrape_windows)
    with running_cloud(size) as cloud:
        rounds = [
            {"without": _collect(cloud, scale, None), "with": _collect(cloud, scale, scale.scrape_interval)}
            for _ in range(scale.rounds)
        ]
    scrapes = [collection["scrape"] for collections in rounds for collection in collections.values()]
    if {scrape["series"] for scrape in scrapes} != {scale.series}:
        raise RuntimeError(f"a scrape does not have {scale.series} series: {scrapes}")
    return BenchmarkResult(_figures(scale, rounds, scrapes), rounds)


def _figures(scale: Scale, rounds: list[dict[str, Any]], scrapes: list[dict[str, Any]]) -> list[Figure]:
    slowdown, cpu_increase = (
        [(pair["with"]["run"][key] / pair["without"]["run"][key] - 1) * 100 for pair in rounds]
        for key in ("wall", "cpu")
    )
    cpu = [scrape["cpu"] for scrape in scrapes]
    condition = f"with a scrape every {scale.scrape_interval:g} s"
    return [
        Figure(f"CPU of a scrape of {scale.series:,} usage series", "s", cpu, targets.SCRAPE_CPU_SECONDS),
        Figure("size of a response", "MiB", [scrape["bytes"] / 2**20 for scrape in scrapes]),
        Figure(f"slowdown of a run {condition}", "%", slowdown, targets.SCRAPE_SLOWDOWN_PERCENT),
        Figure(f"CPU increase of a run {condition}", "%", cpu_increase),
        Figure("wall time of a run without scrapes", "s", [pair["without"]["run"]["wall"] for pair in rounds]),
        Figure("scrapes in a run", "", [pair["with"]["scrapes"] for pair in rounds]),
    ]


def _collect(cloud: CloudProcess, scale: Scale, interval: float | None) -> dict[str, Any]:
    with deployed(cloud) as deployment, long_running_collector(deployment.config, scale.series) as collector:
        scrape = _scrape(collector)
        with _periodic_scrapes(interval, collector) as sizes:
            cost = collector.run(deployment.end(cloud.size.windows))
        return {"scrape": scrape, "run": cost, "scrapes": len(sizes)}


def _scrape(collector: LongRunningCollector) -> dict[str, float]:
    """Return the CPU time of a scrape in seconds, and the response's number of series and size in bytes."""
    before = collector.cpu()
    page = collector.scrape()
    cpu = collector.cpu() - before
    return {"cpu": cpu, "series": page.count(b"\ndistil_collector_usage_total{"), "bytes": len(page)}


@contextlib.contextmanager
def _periodic_scrapes(interval: float | None, collector: LongRunningCollector) -> Iterator[list[int]]:
    """Scrape periodically during the ``with``, first after half an interval.

    :param interval: in seconds; None for no scrapes.
    :return: a list that receives the sizes of the responses.
    """
    sizes: list[int] = []
    if interval is None:
        yield sizes
        return
    finished = threading.Event()

    def scrape_until_finished(pause: float) -> None:
        while not finished.wait(pause):
            sizes.append(len(collector.scrape()))
            pause = interval

    with concurrent.futures.ThreadPoolExecutor() as executor:
        scrapes = executor.submit(scrape_until_finished, interval / 2)
        try:
            yield sizes
        finally:
            finished.set()
        scrapes.result()
