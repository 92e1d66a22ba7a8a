# SPDX-License-Identifier: Apache-2.0
"""Measures the collector's speed. The exit status does not depend on the figures."""

import argparse
import dataclasses
import datetime
import pathlib
import signal
import sys
import unittest
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from benchmarks import cores
from benchmarks import receipts
from benchmarks import report
from benchmarks import scaling
from benchmarks import scrape
from benchmarks import startup
from benchmarks import throughput
from benchmarks.cloud import CloudSize
from benchmarks.cloud import running_cloud
from benchmarks.deployment import deployed
from benchmarks.machine import describe_machine
from benchmarks.machine import describe_versions
from benchmarks.results import BenchmarkResult
from benchmarks.results import format_table
from benchmarks.scale import SMOKE
from benchmarks.scale import Scale
from benchmarks.telemetry import drivers

_PARTS: dict[str, Callable[[Scale], BenchmarkResult]] = {
    "catching-up": throughput.measure_catching_up,
    "latency": throughput.measure_latency,
    "steady": throughput.measure_steady_state,
    "cloud": scaling.measure_large_cloud,
    "growth": scaling.measure_growth,
    "scrape": scrape.measure_scrapes,
    "start": startup.measure_startup,
    "cores": cores.measure_second_process,
    "receipts": receipts.measure_receipts,
    "telemetry": drivers.measure_drivers,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run parts and print their figures.

    :returns: 0; 1 without a MariaDB server for the tests.
    """
    # Exit by an exception, so that processes end and databases are dropped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    arguments = _parser().parse_args(argv)
    scale = _scale(arguments)
    document: dict[str, object] = {"at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")}
    parts: dict[str, object] = {}
    try:
        document |= {
            "machine": describe_machine(),
            "versions": describe_versions(),
            "scale": dataclasses.asdict(scale),
            "parts": parts,
        }
        _compile_modules()
        for name in arguments.parts or _PARTS:
            print(f"{name} ...", file=sys.stderr, flush=True)
            parts[name] = _PARTS[name](scale).document()
            report.write_report(document, arguments.output)
    except unittest.SkipTest as error:
        print(error, file=sys.stderr)
        return 1
    print(format_table(parts))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", type=_part, metavar="PART", help=f"any of {', '.join(_PARTS)}; default all")
    parser.add_argument("--smoke", action="store_true", help="smallest sizes, to check that every part works")
    parser.add_argument(
        "--output",
        type=pathlib.Path,
        default=report.DEFAULT_DIRECTORY,
        metavar="DIRECTORY",
        help="for figures.json, with everything measured, and figures.txt; default %(default)s",
    )
    for field in dataclasses.fields(Scale):
        single = field.type in (int, float)
        value_type = type(field.default) if single else int
        flag = f"--{field.name.replace('_', '-')}"
        parser.add_argument(
            flag, type=value_type, nargs=None if single else "+", help=f"default {_format_default(field.default)}"
        )
    return parser


def _part(name: str) -> str:
    if name not in _PARTS:
        raise argparse.ArgumentTypeError(f"unknown part {name!r}; expected any of {', '.join(_PARTS)}")
    return name


def _scale(arguments: argparse.Namespace) -> Scale:
    changed: dict[str, Any] = {}
    for field in dataclasses.fields(Scale):
        value = getattr(arguments, field.name)
        if value is not None:
            changed[field.name] = tuple(value) if isinstance(value, list) else value
    return dataclasses.replace(SMOKE if arguments.smoke else Scale(), **changed)


def _compile_modules() -> None:
    """Run a collector once, so that the byte code of all modules is cached."""
    with running_cloud(CloudSize(1, 1, 1)) as cloud, deployed(cloud) as deployment:
        deployment.run_collectors(1)


def _format_default(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


if __name__ == "__main__":
    sys.exit(main())
