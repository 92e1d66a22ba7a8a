# SPDX-License-Identifier: Apache-2.0
"""How far a run is, for a person who watches."""

import contextlib
import sys
from collections.abc import Iterator

import rich.console
import rich.progress

from distil.collector.summary import Progress


@contextlib.contextmanager
def progress_bar() -> Iterator[Progress | None]:
    """A bar on standard error where that is a terminal; nothing elsewhere, where log lines tell."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (*rich.progress.Progress.get_default_columns(), rich.progress.MofNCompleteColumn())
    with rich.progress.Progress(*columns, console=rich.console.Console(stderr=True)) as progress:
        yield _Bar(progress)


class _Bar:
    def __init__(self, progress: rich.progress.Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("windows", total=None)

    def expect(self, windows: int) -> None:
        self._progress.update(self._task, total=windows)

    def advance(self) -> None:
        self._progress.advance(self._task)
