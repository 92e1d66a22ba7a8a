# SPDX-License-Identifier: Apache-2.0
"""A warm process: it has imported what a collector needs, and forks one for every order.

It has neither threads nor connections, so that what it forks is as good as a process that was just started, in a
hundredth of the time. Orders and answers are lines of JSON on its standard input and output; at the end of its input
everything it has forked is killed.
"""

import contextlib
import importlib
import json
import os
import pathlib
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import distil.daemon.main
from faults.actions import Fault
from faults.instrumentation import Hooks
from faults.instrumentation import Point

# A process that ends by an exception; nothing else ends with this status.
CRASHED = 70


def main() -> int:
    pids: list[int] = []
    warm = os.getpid()
    try:
        for line in sys.stdin:
            order = json.loads(line)
            action = order.pop("do")
            answer: object = None
            if action == "start":
                pid = os.fork()
                if pid == 0:
                    return _run(**order)
                pids.append(pid)
                answer = pid
            elif action == "look":
                answer = _state(**order)
            elif action == "import":
                _import(**order)
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    finally:
        # Also where the test has died, and nobody reads the answer any more.
        if os.getpid() == warm:
            _kill(pids)
    return 0


def _kill(pids: Sequence[int]) -> None:
    """With all that they have forked."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _state(pid: int) -> object:
    """What has become of a process since the last look: a status, a signal as a negative one, "stopped", or null."""
    changed, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
    if not changed:
        return None
    return "stopped" if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status)


def _import(modules: Sequence[str]) -> None:
    for name in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _run(arguments: Sequence[str], log: str, fault: dict[str, Any] | None, report: str | None) -> int:
    """Be a collector; with a report, write down which points it passed and which modules it needed."""
    os.setpgid(0, 0)
    _redirect(log)
    points: list[Point] = []
    if fault is not None:
        Hooks(Fault(**fault)).install()
    elif report is not None:
        Hooks(lambda point, _: points.append(point)).install()
    try:
        return distil.daemon.main.main(arguments)
    except Exception:
        traceback.print_exc()
        return CRASHED
    finally:
        if report is not None:
            pathlib.Path(report).write_text(json.dumps({"points": points, "modules": sorted(sys.modules)}))


def _redirect(log: str) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((nothing, 0), (said, 1), (said, 2)):
        os.dup2(source, target)


if __name__ == "__main__":
    sys.exit(main())
