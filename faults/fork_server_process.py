# SPDX-License-Identifier: Apache-2.0
"""The process of :class:`faults.fork_server.ForkServer`: imports what a program needs, and forks one on request.

It has neither threads nor connections, so that a forked process is equivalent to a newly started one, in a hundredth
of the time. Requests and replies are lines of JSON on standard input and output. At the end of its input it kills
all processes that it has forked.
"""

import contextlib
import gc
import importlib
import json
import os
import pathlib
import signal
import sys
import traceback
from collections.abc import Collection
from collections.abc import Sequence
from typing import Any

import distil.cmd.manage.app
import distil.daemon.main
from faults.actions import Action
from faults.actions import Fault
from faults.instrumentation import Instrumentation
from faults.instrumentation import PointRecorder

# Exit status of a collector that raised an exception; the product has no such status.
CRASHED = 70

_PROGRAMS = {"distil-collector": distil.daemon.main.main, "distil-manage": distil.cmd.manage.app.main}


def main() -> int:
    # Of those that have not ended: the system may give the number of one that has to another process.
    running: set[int] = set()
    server_pid = os.getpid()
    try:
        for line in sys.stdin:
            request = json.loads(line)
            command = request.pop("command")
            reply: object = None
            if command == "start":
                pid = os.fork()
                if pid == 0:
                    return _run(**request)
                running.add(pid)
                reply = pid
            elif command == "poll":
                state = _poll(**request)
                if state["exit_status"] is not None:
                    running.discard(request["pid"])
                reply = state
            elif command == "import":
                _import(**request)
            sys.stdout.write(json.dumps(reply) + "\n")
            sys.stdout.flush()
    finally:
        # Also if the test has ended, and a reply can no longer be written.
        if os.getpid() == server_pid:
            _kill_groups(running)
    return 0


def _kill_groups(pids: Collection[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _poll(pid: int) -> dict[str, Any]:
    """Return how the state of a process has changed since the last poll: whether it was paused, and its exit status."""
    changed, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
    paused = bool(changed) and os.WIFSTOPPED(status)
    return {"paused": paused, "exit_status": os.waitstatus_to_exitcode(status) if changed and not paused else None}


def _import(modules: Sequence[str]) -> None:
    for name in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    # Otherwise the garbage collector of each forked process would copy all pages of the modules.
    gc.collect()
    gc.freeze()


def _run(program: str, arguments: Sequence[str], log: str, fault: dict[str, Any] | None, report: str | None) -> int:
    """Run a program in this process.

    :param fault: fields of a :class:`.Fault`.
    :param report: file that receives the fault points that it reached and the modules that it imported; has no effect
        together with a fault.
    """
    os.setpgid(0, 0)
    _redirect_output(log)
    recorder = PointRecorder()
    if fault is not None:
        Instrumentation(Fault(**{**fault, "action": Action(fault["action"])})).install()
    elif report is not None:
        Instrumentation(recorder).install()
    try:
        return _PROGRAMS[program](arguments)
    except Exception:
        traceback.print_exc()
        return CRASHED
    finally:
        if report is not None:
            document = {"points": recorder.points, "modules": sorted(sys.modules)}
            pathlib.Path(report).write_text(json.dumps(document))


def _redirect_output(log: str) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(source, target)


if __name__ == "__main__":
    sys.exit(main())
