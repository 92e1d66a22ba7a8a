# SPDX-License-Identifier: Apache-2.0
"""The numbers of samples that all projects have in a day's windows, in as little memory as they take."""

import array
import datetime
from collections import Counter
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

from distil import model
from distil.db.collected_windows import RecordedWindow
from distil.telemetry.driver import SampleCount

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class Grid(NamedTuple):
    """Adjacent windows of equal length: parts of a period, for which one question can be asked.

    :param parts: their number.
    """

    start: datetime.datetime
    length: datetime.timedelta
    parts: int

    @property
    def end(self) -> datetime.datetime:
        return self.start + self.parts * self.length

    def window(self, part: int) -> model.Window:
        start = self.start + part * self.length
        return model.Window(start, start + self.length)

    def part(self, start: datetime.datetime) -> int | None:
        """The number of the window that begins then; None if there is none."""
        part, rest = divmod(start - self.start, self.length)
        return None if rest or not 0 <= part < self.parts else part

    def has(self, window: model.Window) -> bool:
        return window.end - window.start == self.length and self.part(window.start) is not None


def grids(recorded: Iterable[RecordedWindow]) -> Sequence[Grid]:
    """The grids that windows belong to, those with the most receipts first."""
    found: defaultdict[tuple[datetime.timedelta, datetime.timedelta], list[datetime.datetime]] = defaultdict(list)
    receipts: Counter[tuple[datetime.timedelta, datetime.timedelta]] = Counter()
    for window, _, number in recorded:
        length = window.end - window.start
        key = (length, (window.start - _EPOCH) % length)
        found[key].append(window.start)
        receipts[key] += number
    return [
        Grid(min(starts), length, (max(starts) - min(starts)) // length + 1)
        for (length, phase), _ in receipts.most_common()
        for starts in (found[length, phase],)
    ]


class CountTable:
    """The numbers of samples of one grid, by project, window and meter.

    :param meters: that were asked for.
    """

    def __init__(self, grid: Grid, meters: Sequence[str]) -> None:
        self._grid = grid
        self._columns = {name: column for column, name in enumerate(meters)}
        self._numbers: dict[str, array.array[int]] = {}
        self._totals = [0] * grid.parts

    def add(self, count: SampleCount) -> None:
        """Add the samples of a meter in a window; those that are no part of the grid were not asked for."""
        part, column = self._grid.part(count.start), self._columns.get(count.meter)
        if part is None or column is None:
            return
        numbers = self._numbers.get(count.project_id)
        if numbers is None:
            zeros = bytes(self._grid.parts * len(self._columns) * array.array("Q").itemsize)
            numbers = self._numbers[count.project_id] = array.array("Q", zeros)
        numbers[part * len(self._columns) + column] += count.samples
        self._totals[part] += count.samples

    def has_samples(self, start: datetime.datetime) -> bool:
        """Whether any project has samples in the window that begins then."""
        part = self._grid.part(start)
        return part is not None and self._totals[part] > 0

    def held(self, project_id: str, start: datetime.datetime, meters: Iterable[str]) -> dict[str, int]:
        """The numbers of samples of a project in the window that begins then, of each of these meters."""
        numbers, part = self._numbers.get(project_id), self._grid.part(start)
        if numbers is None or part is None:
            return dict.fromkeys(meters, 0)
        first = part * len(self._columns)
        return {name: numbers[first + self._columns[name]] for name in meters}

    def remaining(self, meters: Sequence[str], done: Mapping[str, set[int]]) -> Iterator[tuple[str, int]]:
        """The projects and parts that have samples of some meters.

        :param done: by project, the parts to leave out.
        """
        columns = [self._columns[name] for name in meters]
        width = len(self._columns)
        for project_id, numbers in sorted(self._numbers.items()):
            for part in range(self._grid.parts):
                if part not in done.get(project_id, ()) and any(numbers[part * width + column] for column in columns):
                    yield project_id, part
