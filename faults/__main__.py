# SPDX-License-Identifier: Apache-2.0
"""Runs trials: all of them, a sample, or one again."""

import argparse
import sys
from collections.abc import Sequence

from faults import suites
from faults.trials import PROGRAM
from faults.trials import Report


def main(argv: Sequence[str] | None = None) -> int:
    """:return: 0 where no row was lost or doubled and nothing else went wrong, else 1."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    parser.add_argument("--suite", action="append", choices=sorted(suites.BY_NAME), help="several may be named")
    parser.add_argument("--seed", type=int, default=1, help="of the cloud and of all choices")
    parser.add_argument("--point", type=int, help="only trials at this point, or the round of this number")
    parser.add_argument("--kind", help="only trials of this kind")
    parser.add_argument("--sample", type=int, metavar="N", help="so many trials of each suite, chosen by the seed")
    arguments = parser.parse_args(argv)
    report = Report(_say)
    for name in arguments.suite or suites.BY_NAME:
        suites.run(name, arguments.seed, report, sample=arguments.sample, point=arguments.point, kind=arguments.kind)
    report.total()
    return 1 if report.bad or not report.results else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
