# SPDX-License-Identifier: Apache-2.0
"""Which entries of the meters file count which series: those of one meter are added up."""

from collections.abc import Iterable

from distil import exceptions
from distil.telemetry.prometheus.meters import Kind
from distil.telemetry.prometheus.meters import PrometheusMeter
from distil.telemetry.prometheus.series import Series
from distil.telemetry.prometheus.series import format_labels


class CountedSeries:
    """The series of one project that counters were made of."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, object], PrometheusMeter] = {}

    def add(self, entry: PrometheusMeter, series: Iterable[Series]) -> None:
        """:raises TelemetryError: another entry of the meter counts one of the series: it would be billed twice."""
        if entry.kind is not Kind.COUNTER:
            return
        for item in series:
            other = self._entries.setdefault((entry.meter, item.key), entry)
            if other is not entry:
                raise exceptions.TelemetryError(
                    f"two entries of {entry.meter} in the meters file, with the selectors {other.selector} and"
                    f" {entry.selector}, count {format_labels(item.labels)}: it would be billed twice. Have conditions"
                    " on labels tell the selectors apart"
                )
