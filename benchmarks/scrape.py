# SPDX-License-Identifier: Apache-2.0
"""What scrapes of many series take, and what they take from a collection."""

import contextlib
import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

from benchmarks.cloud import Cloud
from benchmarks.cloud import Size
from benchmarks.cloud import cloud
from benchmarks.process import started
from benchmarks.results import Figure
from benchmarks.results import Result
from benchmarks.scale import Scale
from benchmarks.site import site

# Seconds, and percents of the time without scrapes.
CPU, SLOWER = 1.0, 5.0


class Scraped:
    """A process of ``benchmarks.scraped`` that runs."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._url = f"http://127.0.0.1:{self._line()}/metrics"

    def ask(self, word: str) -> Any:
        """What the process answers."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return json.loads(self._line())

    def page(self) -> bytes:
        """One scrape, as Prometheus makes it."""
        accepted = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5"
        request = urllib.request.Request(self._url, headers={"Accept": accepted})
        with urllib.request.urlopen(request) as answer:
            body: bytes = answer.read()
        return body

    def scrape(self) -> dict[str, float]:
        """The process's CPU for one scrape, in seconds, and the page's number of series and its length in bytes."""
        before = self.ask("cpu")
        body = self.page()
        cpu = self.ask("cpu") - before
        return {"cpu": cpu, "series": body.count(b"\ndistil_collector_usage_total{"), "bytes": len(body)}

    @contextlib.contextmanager
    def every(self, seconds: float) -> Iterator[list[int]]:
        """Scrapes meanwhile, the first when half of the time has passed. The list receives the pages' lengths."""
        lengths: list[int] = []
        over = threading.Event()

        def go_on() -> None:
            pause = seconds / 2
            while not over.wait(pause):
                lengths.append(len(self.page()))
                pause = seconds

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield lengths
        finally:
            over.set()
            thread.join()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the collector that is scraped ended")
        return line.strip()


def scrape(scale: Scale) -> Result:
    """A collection without and with scrapes, in turns."""
    size = Size(scale.projects, scale.resources, scale.scrape_windows)
    with cloud(size) as its_cloud:
        rounds = [
            {"without": _collect(its_cloud, scale, None), "with": _collect(its_cloud, scale, scale.scrape_interval)}
            for _ in range(scale.rounds)
        ]
    scrapes = [each["scrape"] for a_round in rounds for each in a_round.values()]
    if min(each["series"] for each in scrapes) != scale.series:
        raise RuntimeError(f"a page does not show {scale.series} series: {scrapes}")
    slower = [(each["with"]["run"]["wall"] / each["without"]["run"]["wall"] - 1) * 100 for each in rounds]
    figures = [
        Figure(f"CPU of a scrape of {scale.series:,} usage series", "s", [each["cpu"] for each in scrapes], CPU),
        Figure("length of a page", "MiB", [each["bytes"] / 2**20 for each in scrapes]),
        Figure(f"a collection, slower under a scrape every {scale.scrape_interval:g} s", "%", slower, SLOWER),
        Figure("scrapes in a collection", "", [each["with"]["scrapes"] for each in rounds]),
    ]
    return Result(figures, rounds)


def _collect(its_cloud: Cloud, scale: Scale, interval: float | None) -> dict[str, Any]:
    with (
        site(its_cloud, enable_exporter=True, exporter_host="127.0.0.1", exporter_port=0) as its,
        contextlib.ExitStack() as stack,
    ):
        end = its.end(its_cloud.size.windows).isoformat()
        command = [sys.executable, "-m", "benchmarks.scraped", str(its.config), end, str(scale.series)]
        process = stack.enter_context(started(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        scraped = Scraped(process)
        alone = scraped.scrape()
        lengths = stack.enter_context(scraped.every(interval)) if interval else []
        run = scraped.ask("run")
        return {"scrape": alone, "run": run, "scrapes": len(lengths)}
