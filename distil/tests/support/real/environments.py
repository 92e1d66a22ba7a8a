# SPDX-License-Identifier: Apache-2.0
"""Virtual environments of real services: built once, kept under ``.tox``, used by every test run after that."""

import contextlib
import fcntl
import pathlib
import shutil
import subprocess
from collections.abc import Callable
from collections.abc import Iterator

_CACHE = pathlib.Path(__file__).resolve().parents[4] / ".tox"
_SHOWN = 4000


class CommandFailed(Exception):
    """A command that prepares a real service failed; the message holds the end of its output."""


def prepared(name: str, recipe: str, build: Callable[[pathlib.Path], None]) -> pathlib.Path:
    """The directory of a real service; built if it is not there, was not finished or had another recipe.

    :param recipe: everything that decides what is built.
    :param build: fills the directory; raises to leave it unfinished.
    """
    directory = _CACHE / f"real-{name}"
    finished = directory / "recipe"
    with _locked(directory.with_suffix(".lock")):
        if not finished.exists() or finished.read_text() != recipe:
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
            build(directory)
            finished.write_text(recipe)
    return directory


def run(*command: str | pathlib.Path) -> str:
    """Run a command to its end.

    :return: what it wrote, errors included.
    :raises CommandFailed: its exit status is not 0.
    """
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        shown = " ".join(map(str, command))
        raise CommandFailed(f"{shown}: exit status {done.returncode}\n{done.stdout[-_SHOWN:]}")
    return done.stdout


@contextlib.contextmanager
def _locked(path: pathlib.Path) -> Iterator[None]:
    """Of the test workers that want one environment, the first builds it and the others wait."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
