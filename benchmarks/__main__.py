# SPDX-License-Identifier: Apache-2.0
"""Measures how fast the collector is. Never fails because of a time."""

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

from benchmarks import report
from benchmarks import scaling
from benchmarks import throughput
from benchmarks.cloud import Size
from benchmarks.cloud import cloud
from benchmarks.cores import cores
from benchmarks.deployment import site
from benchmarks.machine import machine
from benchmarks.machine import versions
from benchmarks.results import Result
from benchmarks.results import table
from benchmarks.scale import SMOKE
from benchmarks.scale import Scale
from benchmarks.scrape import scrape
from benchmarks.startup import start

PARTS: dict[str, Callable[[Scale], Result]] = {
    "catching-up": throughput.catching_up,
    "latency": throughput.latency,
    "steady": throughput.steady,
    "cloud": scaling.large,
    "growth": scaling.growth,
    "scrape": scrape,
    "start": start,
    "cores": cores,
}


def main(argv: Sequence[str] | None = None) -> int:
    """:returns: 0; 1 where there is no MariaDB server for the tests."""
    # In order, so that no process and no database is left over.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    arguments = _parser().parse_args(argv)
    scale = _scale(arguments)
    document: dict[str, object] = {"at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")}
    parts: dict[str, object] = {}
    try:
        document |= {"machine": machine(), "versions": versions(), "scale": dataclasses.asdict(scale), "parts": parts}
        _warm_up()
        for name in arguments.parts or PARTS:
            print(f"{name} ...", file=sys.stderr, flush=True)
            parts[name] = PARTS[name](scale).document()
            report.write(document, arguments.output)
    except unittest.SkipTest as problem:
        print(problem, file=sys.stderr)
        return 1
    print(table(parts))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", type=_part, metavar="PART", help=f"of {', '.join(PARTS)}; all unless some are named"
    )
    parser.add_argument("--smoke", action="store_true", help="as little as shows that nothing is broken")
    parser.add_argument(
        "--output",
        type=pathlib.Path,
        default=report.DIRECTORY,
        metavar="DIRECTORY",
        help="of figures.json, with everything that was measured, and figures.txt; %(default)s unless given",
    )
    for field in dataclasses.fields(Scale):
        single = field.type in (int, float)
        kind = type(field.default) if single else int
        flag = f"--{field.name.replace('_', '-')}"
        parser.add_argument(flag, type=kind, nargs=None if single else "+", help=f"instead of {_text(field.default)}")
    return parser


def _part(name: str) -> str:
    if name not in PARTS:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(PARTS)}")
    return name


def _scale(arguments: argparse.Namespace) -> Scale:
    changed: dict[str, Any] = {}
    for field in dataclasses.fields(Scale):
        value = getattr(arguments, field.name)
        if value is not None:
            changed[field.name] = tuple(value) if isinstance(value, list) else value
    return dataclasses.replace(SMOKE if arguments.smoke else Scale(), **changed)


def _warm_up() -> None:
    """Have the byte code of everything, which the first process compiles."""
    with cloud(Size(1, 1, 1)) as its_cloud, site(its_cloud) as its:
        its.collect(1)


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


if __name__ == "__main__":
    sys.exit(main())
