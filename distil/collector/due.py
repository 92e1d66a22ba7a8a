# SPDX-License-Identifier: Apache-2.0
"""What a run has to collect: projects with the windows that are due, and how many of these."""

import dataclasses
import datetime
import threading
from collections.abc import Sequence
from typing import NamedTuple
from typing import Self
from typing import overload

from distil import model


@dataclasses.dataclass(frozen=True)
class WindowRange(Sequence[model.Window]):
    """Adjacent windows of the same length, oldest first. Each is made when it is asked for: there may be thousands."""

    start: datetime.datetime
    length: datetime.timedelta
    size: int

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, index: int) -> model.Window: ...

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    def __getitem__(self, index: int | slice) -> model.Window | Self:
        """:raises ValueError: a slice would leave windows out."""
        if isinstance(index, slice):
            positions = range(self.size)[index]
            if positions.step != 1:
                raise ValueError("the windows of a range are adjacent")
            return type(self)(self.start + positions.start * self.length, self.length, len(positions))
        start = self.start + range(self.size)[index] * self.length
        return model.Window(start, start + self.length)

    def after(self, last_collected: datetime.datetime | None) -> Self:
        """The windows from last collected on; none if no window starts then."""
        committed = self.size
        if last_collected is not None:
            position, remainder = divmod(last_collected - self.start, self.length)
            committed = position if 0 <= position < self.size and not remainder else committed
        return self[committed:]


class DueProject(NamedTuple):
    """A project with its windows that are due.

    :param limit: how many of the windows a run collects, beside those that are empty.
    """

    project: model.Project
    windows: WindowRange
    limit: int

    @property
    def planned(self) -> int:
        """Number of windows that are collected if none is empty."""
        return min(len(self.windows), self.limit)


class Allowance:
    """A number of empty windows that do not count towards the limits of a run's projects. Threads share it.

    It bounds how long a run takes when all projects are behind by hundreds of windows.
    """

    def __init__(self, windows: int) -> None:
        self._left = windows
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take one; returns whether there was one."""
        with self._lock:
            self._left -= 1
            return self._left >= 0
