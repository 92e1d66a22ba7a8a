# SPDX-License-Identifier: Apache-2.0
"""The process of :mod:`benchmarks.resident`.

A line on standard input is answered with a line of JSON: ``cpu`` with the seconds that the process has used,
``run TIME`` with what a run up to that time took.
"""

import decimal
import gc
import json
import sys
import time

from oslo_config import cfg
from oslo_log import log

from benchmarks.process import peak_memory
from distil import model
from distil.collector.run import Collector
from distil.collector.shutdown import Shutdown
from distil.conf import process
from distil.conf import registry
from distil.factory.collector import CollectorFactory
from distil.monitoring.run import RunMonitor

# Services that a project uses.
SERVICES = 20


class Counting(CollectorFactory):
    """With usage of projects that the cloud does not have."""

    def count(self, series: int) -> None:
        """Count as much as makes so many series."""
        services = [model.Usage(f"b1.service-{n}", "", "gigabyte", decimal.Decimal(n) / 7) for n in range(SERVICES)]
        for first in range(0, series, SERVICES):
            self.metrics.count_usage(f"{first:032x}", services[: series - first])


def answer(monitor: RunMonitor, collector: Collector, words: list[str]) -> object:
    """What words are answered with.

    :raises RuntimeError: a project failed.
    """
    if words == ["cpu"]:
        return time.process_time()
    _, end = words
    begun, before = time.monotonic(), time.process_time()
    with monitor.run():
        summary = collector.run(model.parse_time(end))
    wall, cpu = time.monotonic() - begun, time.process_time() - before
    if summary.failed:
        raise RuntimeError(f"the run failed: {summary}")
    counts = {"windows": summary.windows, "entries": summary.usage_entries}
    return {"wall": wall, "cpu": cpu, "memory": peak_memory(), **counts}


def main() -> None:
    """Print the exporter's port, and answer until there are no lines any more."""
    # As the collector's own process does it.
    gc.freeze()
    path, series = sys.argv[1:]
    conf = cfg.ConfigOpts()
    registry.register_opts(conf)
    conf.register_cli_opts(process.CLI_OPTS)
    conf(["--config-file", path], project="distil")
    log.setup(conf, "distil")
    wiring = Counting(conf, process.read_collectors(conf)[0])
    collector = wiring.collector(Shutdown())
    wiring.count(int(series))
    exporter = wiring.exporter()
    if exporter is None:
        raise RuntimeError("the configuration has no exporter")
    exporter.start()
    print(exporter.port, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(wiring.monitor, collector, line.split())), flush=True)


if __name__ == "__main__":
    main()
