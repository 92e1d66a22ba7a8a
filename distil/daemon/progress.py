# SPDX-License-Identifier: Apache-2.0
"""Shows the progress of a run up to an end time, on a terminal or in the log."""

import contextlib
import sys
import time
from collections.abc import Iterator

from oslo_log import log

from distil.monitoring.run import Progress

LOG = log.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 30.0


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """A progress bar on standard error if that is a terminal, otherwise lines in the log."""
    if not sys.stderr.isatty():
        yield _LogProgress()
        return
    shown = _BarProgress()
    with shown.bar:
        yield shown


class _LogProgress:
    def __init__(self) -> None:
        self._total = self._done = 0
        self._logged_at = time.monotonic()

    def expect(self, windows: int) -> None:
        self._total = windows
        LOG.info("%d windows are due.", windows)

    def advance(self) -> None:
        self._done += 1
        if time.monotonic() - self._logged_at > _SECONDS_BETWEEN_LINES:
            self._logged_at = time.monotonic()
            LOG.info("%d of %d windows are done.", self._done, self._total)


class _BarProgress:
    """:ivar bar: shown while it is entered as a context."""

    def __init__(self) -> None:
        # Slow to import, and not needed by a service.
        import rich.console  # noqa: PLC0415
        import rich.progress  # noqa: PLC0415

        columns = (*rich.progress.Progress.get_default_columns(), rich.progress.MofNCompleteColumn())
        self.bar = rich.progress.Progress(*columns, console=rich.console.Console(stderr=True))
        self._task = self.bar.add_task("windows", total=None)

    def expect(self, windows: int) -> None:
        self.bar.update(self._task, total=windows)

    def advance(self) -> None:
        self.bar.advance(self._task)
