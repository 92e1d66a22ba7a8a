# SPDX-License-Identifier: Apache-2.0
"""A shell that somebody types into."""

import os
import pathlib
import re
import signal
import subprocess
from collections.abc import Iterable
from collections.abc import Mapping
from typing import NamedTuple

_MARK = "--- status:"
_SECONDS = 300.0


class Done(NamedTuple):
    output: str
    status: int


def run(commands: Iterable[str], folder: pathlib.Path, environment: Mapping[str, str]) -> list[Done]:
    """What each command said, to standard output and standard error, and its status, up to the first that fails.

    What still runs at the end is ended.
    """
    script = folder / "typed.sh"
    after = f"status=$?; printf '\\n{_MARK} %s\\n' $status; [ $status = 0 ] || exit"
    # A collector leads a group of processes of its own.
    ended = "trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT"
    script.write_text("\n".join([ended, *(f"{command}\n{after}" for command in commands)]) + "\n")
    log = folder / "output"
    with log.open("w") as file:
        shell = subprocess.Popen(
            ["bash", str(script)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )
        try:
            shell.wait(_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"a command did not come to its end:\n{log.read_text()}") from error
        finally:
            _end(shell)
    *parts, _ = re.split(rf"\n{_MARK} (\d+)\n", log.read_text())
    return [Done(output.strip(), int(status)) for output, status in zip(parts[::2], parts[1::2], strict=True)]


def _end(shell: subprocess.Popen[bytes]) -> None:
    """With whatever it has started."""
    try:
        os.killpg(shell.pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    finally:
        shell.wait(30)
