# SPDX-License-Identifier: Apache-2.0
"""Shows on a terminal how far a long command is."""

import logging
import sys
import time
from collections.abc import Iterable
from collections.abc import Iterator
from types import TracebackType
from typing import Self
from typing import TypeVar

LOG = logging.getLogger(__name__)

_SECONDS_BETWEEN = 0.2

_Item = TypeVar("_Item")


class ProgressLine:
    """A line on standard error, for the duration of a ``with``. Shows nothing if that is not a terminal, or with -q.

    :param what: is counted, in the plural.
    """

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._shown = float("-inf")
        self._is_visible = sys.stderr.isatty() and LOG.isEnabledFor(logging.INFO)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if self._is_visible:
            self._write("")

    def track(self, items: Iterable[_Item]) -> Iterator[_Item]:
        """The items; each is counted once the next one is asked for."""
        for item in items:
            yield item
            self.advance()

    def advance(self) -> None:
        """Count one more."""
        self._done += 1
        now = time.monotonic()
        if self._is_visible and now - self._shown >= _SECONDS_BETWEEN:
            self._shown = now
            percent = 100 * self._done // max(self._total, self._done)
            self._write(f"{percent:3d} % of {self._total} {self._what}")

    def _write(self, text: str) -> None:
        # To the beginning of the line, whose rest is erased.
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()
