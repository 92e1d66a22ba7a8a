# SPDX-License-Identifier: Apache-2.0
"""How far a run is, as a bar on a terminal."""

import contextlib
from collections.abc import Iterator

import rich.console
import rich.progress

from distil.monitoring.run import Progress


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """A bar on standard error."""
    columns = (*rich.progress.Progress.get_default_columns(), rich.progress.MofNCompleteColumn())
    with rich.progress.Progress(*columns, console=rich.console.Console(stderr=True)) as bar:
        yield _Bar(bar)


class _Bar:
    def __init__(self, bar: rich.progress.Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("windows", total=None)

    def expect(self, windows: int) -> None:
        self._bar.update(self._task, total=windows)

    def advance(self) -> None:
        self._bar.advance(self._task)
