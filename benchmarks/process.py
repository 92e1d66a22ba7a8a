# SPDX-License-Identifier: Apache-2.0
"""Processes, and what they take."""

import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from collections.abc import Sequence
from typing import IO
from typing import Any

ROOT = pathlib.Path(__file__).parents[1]

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a process took, or several at once together.

    :param wall: seconds; so are ``cpu``, user and system together, and ``machine``, the CPU that everything on the
        machine used meanwhile.
    :param memory: peak resident set size, in MiB; of several the largest.
    """

    wall: float
    cpu: float
    memory: float
    machine: float


def run(*commands: Sequence[str]) -> tuple[Cost, list[Any]]:
    """What commands that run at once took, and what each said: JSON in its last line, with its peak memory.

    The memory is what a process says itself, because the kernel's figure includes its parent's before the exec.

    :raises RuntimeError: the status of one is not 0.
    """
    with contextlib.ExitStack() as stack:
        outputs = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in commands]
        begun, machine = time.monotonic(), _machine()
        processes = [
            stack.enter_context(started(command, stdout=output, stderr=subprocess.STDOUT))
            for command, output in zip(commands, outputs, strict=True)
        ]
        cpu = sum(map(_wait, processes))
        wall, machine = time.monotonic() - begun, _machine() - machine
        said = [_said(process, output) for process, output in zip(processes, outputs, strict=True)]
    return Cost(wall, cpu, max(each["memory"] for each in said), machine), said


@contextlib.contextmanager
def started(command: Sequence[str], **options: Any) -> Iterator["subprocess.Popen[str]"]:
    """A process that ends with the ``with`` at the latest.

    It keeps the byte code that it compiles, as an installed collector has it, also where the tests are told not to.

    :param options: of :class:`subprocess.Popen`.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **options) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(30)
                process.kill()


def peak_memory() -> float:
    """This process's peak resident set size, in MiB."""
    lines = pathlib.Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def _wait(process: "subprocess.Popen[str]") -> float:
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime


def _said(process: "subprocess.Popen[str]", output: IO[str]) -> Any:
    output.seek(0)
    text = output.read()
    if process.returncode:
        raise RuntimeError(f"status {process.returncode}: {process.args!r}\n{text}")
    return json.loads(text.splitlines()[-1])


def _machine() -> float:
    """Seconds of CPU that everything on the machine has used."""
    with open("/proc/stat", encoding="utf-8") as file:
        user, nice, system, _, _, interrupts, soft = map(int, file.readline().split()[1:8])
    return (user + nice + system + interrupts + soft) / _TICKS
