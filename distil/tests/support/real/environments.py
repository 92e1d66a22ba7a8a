# SPDX-License-Identifier: Apache-2.0
"""Virtual environments of real services, which are built once and used by every test run after that.

They are kept in the user's cache, outside of the repository, by what decides what is built: the first run in another
clone, or by another Python, finds those that it needs.
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping

_MAX_OUTPUT_LENGTH = 4000


class CommandFailed(Exception):
    """A command that builds an environment failed; the message holds the end of its output."""


def prepare(name: str, recipe: str, build: Callable[[pathlib.Path], None]) -> pathlib.Path:
    """Return the directory of a real service, after building it if it has not been, or not to the end.

    :param recipe: everything that decides what is built.
    :param build: fills the directory; raises to leave it unfinished.
    """
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    directory = _cache() / f"{name}-{digest}"
    finished = directory / "recipe"
    with _locked(directory.with_suffix(".lock")):
        if not finished.exists():
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
            build(directory)
            finished.write_text(recipe)
    return directory


def install(environment: pathlib.Path, requirements: pathlib.Path) -> None:
    """Create a virtual environment of this Python, with exactly what a requirements file pins."""
    run(sys.executable, "-m", "venv", environment)
    run(environment / "bin/pip", "install", "-q", "--no-deps", "-r", requirements)


def run(*command: str | pathlib.Path, variables: Mapping[str, str] | None = None) -> str:
    """Run a command to its end and return its output, standard error included.

    :param variables: of its process environment, in addition to this one's.
    :raises CommandFailed: its exit status is not 0.
    """
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env=os.environ | dict(variables or {}),
    )
    if done.returncode:
        words = " ".join(map(str, command))
        raise CommandFailed(f"{words}: exit status {done.returncode}\n{done.stdout[-_MAX_OUTPUT_LENGTH:]}")
    return done.stdout


def _cache() -> pathlib.Path:
    directory = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "distil-tests"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@contextlib.contextmanager
def _locked(path: pathlib.Path) -> Iterator[None]:
    """Have the first process that needs an environment build it, and the others wait."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
