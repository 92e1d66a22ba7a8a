# SPDX-License-Identifier: Apache-2.0
"""A process that has imported the project's commands, and forks one for each order.

An order is a line of JSON on standard input; the answer is the command's exit status, a signal as a negative number.
The process has neither threads nor connections, so that what it forks is as good as a process that was just started.
"""

import atexit
import contextlib
import functools
import gc
import importlib.metadata
import json
import os
import sys
import threading
import traceback
from collections.abc import Callable
from collections.abc import Mapping
from typing import NoReturn

_COMMANDS = "console_scripts"
_PLUGINS = ("distil.manage", "distil.telemetry", "distil.transformer")

Commands = Mapping[str, Callable[[], int | None]]


def main() -> None:
    """Serve until the end of the input."""
    commands = _load()
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _exit_with(functools.partial(_run, commands, **order))
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _load() -> Commands:
    """Import everything, out of the garbage collector's sight, which would touch each page of it in each command."""
    gc.disable()
    points = importlib.metadata.distribution("distil").entry_points
    for point in points:
        if point.group in _PLUGINS:
            point.load()
    import distil.daemon.main  # noqa: F401, PLC0415 - what distil-collector imports when it is started

    commands = {point.name: point.load() for point in points.select(group=_COMMANDS)}
    gc.freeze()
    gc.enable()
    return commands


def _run(
    commands: Commands,
    name: str,
    arguments: list[str],
    environment: dict[str, str],
    directory: str,
    stdout: str,
    stderr: str,
    kill_at: int | None,
) -> int | None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    _redirect(stdout, stderr)
    sys.argv = [name, *arguments]
    if kill_at is not None:
        _kill_at(kill_at)
    return commands[name]()


def _exit_with(command: Callable[[], int | None]) -> NoReturn:
    """Exit as the interpreter does after ``sys.exit(command())``, except that no object is freed.

    To free them would copy every page that this process shares with the server, which takes longer than most commands.
    """
    status = 1
    try:
        status = command() or 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status & 0xFF)


def _redirect(stdout: str, stderr: str) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    outputs = [os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) for path in (stdout, stderr)]
    for number, descriptor in enumerate((nothing, *outputs)):
        os.dup2(descriptor, number)
        os.close(descriptor)


def _kill_at(point: int) -> None:
    from faults.actions import Action  # noqa: PLC0415 - this command alone is instrumented
    from faults.actions import Fault  # noqa: PLC0415
    from faults.instrumentation import Instrumentation  # noqa: PLC0415

    Instrumentation(Fault(point, Action.KILL)).install()


if __name__ == "__main__":
    main()
