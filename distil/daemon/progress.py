# SPDX-License-Identifier: Apache-2.0
"""How far a run is, for a person who watches or who reads the log."""

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
    """A bar on standard error where that is a terminal, else a line in the log now and then."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    # Nobody else needs rich.
    from distil.daemon import progress_bar  # noqa: PLC0415

    with progress_bar.progress() as bar:
        yield bar


class _Lines:
    def __init__(self) -> None:
        self._total = self._done = 0
        self._told = time.monotonic()

    def expect(self, windows: int) -> None:
        self._total = windows
        LOG.info("%d windows are due.", windows)

    def advance(self) -> None:
        self._done += 1
        if time.monotonic() - self._told > _SECONDS_BETWEEN_LINES:
            self._told = time.monotonic()
            LOG.info("%d of %d windows are done.", self._done, self._total)
