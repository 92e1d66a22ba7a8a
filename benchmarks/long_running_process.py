# SPDX-License-Identifier: Apache-2.0
"""The process of :class:`benchmarks.long_running.LongRunningCollector`.

Each line on standard input is a command, and is answered with a line of JSON: ``cpu`` with the CPU time of the process
in seconds, ``run TIME`` with the cost of a run up to that time.
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
from distil.conf import enabled_collectors
from distil.conf import registry
from distil.factory.collector import CollectorFactory
from distil.monitoring.run import RunMonitor

_SERVICES_PER_PROJECT = 20


class PreloadedFactory(CollectorFactory):
    """Makes collectors whose metrics already count usage of projects that the cloud does not have."""

    def count_usage(self, series: int) -> None:
        """Count usage of as many services and projects as make a number of series."""
        services = [
            model.Usage(f"b1.service-{number}", "", "gigabyte", decimal.Decimal(number) / 7)
            for number in range(_SERVICES_PER_PROJECT)
        ]
        for first in range(0, series, _SERVICES_PER_PROJECT):
            self.metrics.count_usage(f"{first:032x}", services[: series - first])


def execute(monitor: RunMonitor, collector: Collector, command: list[str]) -> object:
    """Return the reply to a command.

    :raises RuntimeError: a project failed.
    """
    if command == ["cpu"]:
        return time.process_time()
    _, end = command
    started, cpu_before = time.monotonic(), time.process_time()
    with monitor.run():
        summary = collector.run(model.parse_time(end))
    wall, cpu = time.monotonic() - started, time.process_time() - cpu_before
    if summary.failed:
        raise RuntimeError(f"the run failed: {summary}")
    counts = {"windows": summary.windows, "entries": summary.usage_entries}
    return {"wall": wall, "cpu": cpu, "memory": peak_memory(), **counts}


def main() -> None:
    """Print the exporter's port, and execute commands until the end of the input."""
    # As the collector's own process does.
    gc.freeze()
    path, series = sys.argv[1:]
    conf = cfg.ConfigOpts()
    registry.register_opts(conf)
    conf.register_cli_opts(enabled_collectors.CLI_OPTS)
    conf(["--config-file", path], project="distil")
    log.setup(conf, "distil")
    factory = PreloadedFactory(conf, enabled_collectors.read_collectors(conf)[0])
    collector = factory.collector(Shutdown())
    factory.count_usage(int(series))
    exporter = factory.exporter()
    if exporter is None:
        raise RuntimeError("the configuration enables no exporter")
    exporter.start()
    print(exporter.port, flush=True)
    for line in sys.stdin:
        print(json.dumps(execute(factory.monitor, collector, line.split())), flush=True)


if __name__ == "__main__":
    main()
