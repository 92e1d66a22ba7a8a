# SPDX-License-Identifier: Apache-2.0
"""Runs fault-injection trials: all, a sample, or a selection."""

import argparse
import sys
from collections.abc import Sequence

from faults.suites import SUITES_BY_NAME
from faults.suites import run_suite
from faults.trials import PROGRAM
from faults.trials import Report


def main(argv: Sequence[str] | None = None) -> int:
    """Run trials and print their results.

    :return: 0 if all trials passed; 1 if one failed or none was run.
    """
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    parser.add_argument("--suite", action="append", choices=sorted(SUITES_BY_NAME), help="may be repeated; default all")
    parser.add_argument("--seed", type=int, default=1, help="of the cloud and of all random choices (default 1)")
    parser.add_argument("--point", type=int, help="only trials at this fault point, or the round of this number")
    parser.add_argument("--kind", help="only trials of this kind")
    parser.add_argument("--sample", type=int, metavar="N", help="number of trials of each suite, chosen by the seed")
    arguments = parser.parse_args(argv)
    report = Report(sys.stdout)
    for name in arguments.suite or SUITES_BY_NAME:
        run_suite(name, arguments.seed, report, sample=arguments.sample, point=arguments.point, kind=arguments.kind)
    report.print_totals()
    return 1 if report.failed or not report.results else 0


if __name__ == "__main__":
    sys.exit(main())
