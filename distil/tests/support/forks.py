# SPDX-License-Identifier: Apache-2.0
"""A warm process that forks ``distil-manage`` for each order, and kills it at a fault point.

An order is a line of JSON, arguments and the point or null; the answer is the status, negative for a signal.
"""

import json
import os
import sys

import distil.cmd.manage.rejected
import distil.factory.collector  # noqa: F401 - which each would import otherwise
from distil.cmd.manage import app
from faults.actions import Action
from faults.actions import Fault
from faults.instrumentation import Instrumentation


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os._exit(_run(order["arguments"], order["point"]))
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run(arguments: list[str], point: int | None) -> int:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nothing, descriptor)
    if point is not None:
        Instrumentation(Fault(point, Action.KILL)).install()
    return app.main(arguments)


if __name__ == "__main__":
    main()
