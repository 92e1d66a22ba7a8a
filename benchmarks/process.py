# SPDX-License-Identifier: Apache-2.0
"""Runs processes and measures their cost."""

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
from typing import NamedTuple

ROOT = pathlib.Path(__file__).parents[1]

_TERMINATE_TIMEOUT_SECONDS = 30
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(frozen=True)
class Cost:
    """Cost of a process, or of several concurrent processes together.

    :param wall: wall time in seconds.
    :param cpu: user and system CPU time in seconds.
    :param memory: peak resident set size in MiB; of several processes the largest.
    :param machine: CPU time of everything on the machine meanwhile, in seconds.
    """

    wall: float
    cpu: float
    memory: float
    machine: float


class MeasuredRun(NamedTuple):
    """Cost of processes.

    :param outputs: JSON in the last line of each process's output.
    """

    cost: Cost
    outputs: list[Any]


def run_measured(*commands: Sequence[str]) -> MeasuredRun:
    """Run commands concurrently, and measure their cost.

    The last line of each one's output must be JSON with its peak ``memory``: the kernel's figure for a child process
    includes the memory of its parent before the exec.

    :raises RuntimeError: a command failed.
    """
    with contextlib.ExitStack() as stack:
        outputs = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in commands]
        started, machine = time.monotonic(), _machine_cpu()
        processes = [
            stack.enter_context(running_process(command, stdout=output, stderr=subprocess.STDOUT))
            for command, output in zip(commands, outputs, strict=True)
        ]
        cpu = sum(map(_wait, processes))
        wall, machine = time.monotonic() - started, _machine_cpu() - machine
        documents = [_parse_output(process, output) for process, output in zip(processes, outputs, strict=True)]
    return MeasuredRun(Cost(wall, cpu, max(document["memory"] for document in documents), machine), documents)


@contextlib.contextmanager
def running_process(command: Sequence[str], **options: Any) -> Iterator["subprocess.Popen[str]"]:
    """Run a process until it ends, at the latest until the end of the ``with``.

    It writes byte code, as an installed collector has it, even if the environment of the tests forbids that.

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
                    process.wait(_TERMINATE_TIMEOUT_SECONDS)
                process.kill()


def peak_memory() -> float:
    """Return the peak resident set size of this process, in MiB."""
    lines = pathlib.Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def _wait(process: "subprocess.Popen[str]") -> float:
    """Wait for a process to end, and return its CPU time in seconds."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def _parse_output(process: "subprocess.Popen[str]", output: IO[str]) -> Any:
    output.seek(0)
    text = output.read()
    if process.returncode:
        raise RuntimeError(f"exit status {process.returncode} of {process.args!r}\n{text}")
    return json.loads(text.splitlines()[-1])


def _machine_cpu() -> float:
    """Return the CPU time of everything on the machine since its boot, in seconds."""
    with open("/proc/stat", encoding="utf-8") as file:
        user, nice, system, _, _, interrupts, soft = map(int, file.readline().split()[1:8])
    return (user + nice + system + interrupts + soft) / _TICKS_PER_SECOND
