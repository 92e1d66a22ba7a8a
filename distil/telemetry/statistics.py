# SPDX-License-Identifier: Apache-2.0
"""Counts samples by Ceilometer's statistics: one request for a meter of all projects."""

import datetime
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

from distil import exceptions
from distil import model
from distil.telemetry.capacity import is_usual_cap
from distil.telemetry.client import CeilometerClient
from distil.telemetry.driver import SampleCount
from distil.telemetry.http_client import show_value
from distil.telemetry.sample_request import naive
from distil.text import pluralize


class _Part(NamedTuple):
    """A project's part of a period; without a project, the part of all that have none."""

    project_id: str | None
    start: datetime.datetime


class StatisticsReader:
    """Reads how many samples projects have. Threads share it."""

    def __init__(self, client: CeilometerClient) -> None:
        self._client = client

    def counts(self, meter: str, period: model.Window, length: datetime.timedelta) -> Iterator[SampleCount]:
        """The numbers of samples of a meter, by project and part of a period.

        A period whose response is too large is divided.

        :param length: of a part.
        :raises TelemetryError: the service gave no usable answer.
        """
        try:
            counted = self._read(meter, period, length)
        except exceptions.TelemetryError as error:
            parts = -((period.start - period.end) // length)
            if not error.is_too_large or parts < 2:  # noqa: PLR2004 - a single part cannot be divided
                raise
            middle = period.start + parts // 2 * length
            yield from self.counts(meter, model.Window(period.start, middle), length)
            yield from self.counts(meter, model.Window(middle, period.end), length)
            return
        for part, samples in counted.items():
            if part.project_id is not None:
                yield SampleCount(part.project_id, meter, part.start, samples)

    def _read(self, meter: str, period: model.Window, length: datetime.timedelta) -> Mapping[_Part, int]:
        description = f"all projects, meter {meter}, from {naive(period.start)} to {naive(period.end)}"
        grouped = {"groupby": "project_id", "period": int(length.total_seconds())}
        rows = self._request(meter, period, description, grouped)
        counted: Counter[_Part] = Counter()
        for row in rows:
            # A project has a row for each unit.
            part, samples = _parse(row, period, length, description)
            counted[part] += samples
        if is_usual_cap(len(rows)):
            self._require_whole(meter, period, description, len(rows), counted.total())
        return counted

    def _require_whole(self, meter: str, period: model.Window, description: str, rows: int, samples: int) -> None:
        """Compare with the number of all samples: a gateway may cap responses.

        :raises TelemetryError: the response is not whole.
        """
        total = sum(_samples(row, description) for row in self._request(meter, period, description, {}))
        if total != samples:
            raise exceptions.TelemetryError(
                f"{description}: {pluralize(rows, 'row')} count {samples} of {pluralize(total, 'sample')}; does a"
                " gateway before the telemetry service cap its responses?"
            )

    def _request(
        self, meter: str, period: model.Window, description: str, options: Mapping[str, object]
    ) -> list[object]:
        conditions = {
            "q.field": ["timestamp", "timestamp"],
            "q.op": ["ge", "lt"],
            "q.value": [naive(period.start), naive(period.end)],
        }
        path = f"/v2/meters/{urllib.parse.quote(meter, safe='')}/statistics"
        params = {**conditions, **options, "aggregate.func": "count"}
        return self._client.list_samples("GET", path, description, params=params)


def _parse(row: object, period: model.Window, length: datetime.timedelta, description: str) -> tuple[_Part, int]:
    """:raises TelemetryError: it is not a row of the answer to the question."""
    samples = _samples(row, description)
    try:
        values: Any = row
        project_id = values["groupby"]["project_id"]
        start = model.parse_time(values["period_start"])
    except (TypeError, LookupError, ValueError) as error:
        raise _malformed(row, description) from error
    if start not in period or (start - period.start) % length or not isinstance(project_id, str | None):
        raise _malformed(row, description)
    return _Part(project_id, start), samples


def _samples(row: object, description: str) -> int:
    """:raises TelemetryError: there is no number of samples."""
    try:
        values: Any = row
        samples = values["aggregate"]["count"]
    except (TypeError, LookupError) as error:
        raise _malformed(row, description) from error
    if isinstance(samples, bool) or not isinstance(samples, int | float) or samples < 0 or samples != int(samples):
        raise _malformed(row, description)
    return int(samples)


def _malformed(row: object, description: str) -> exceptions.TelemetryError:
    return exceptions.TelemetryError(
        f"{description}: statistics are malformed, or are not what was asked for: {show_value(row)}"
    )
