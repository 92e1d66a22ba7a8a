# SPDX-License-Identifier: Apache-2.0
"""Counts the samples of a driver that reads a period of all projects at once: it has read them all for one question."""

from collections import Counter
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator

from distil import model
from distil.telemetry.driver import SampleCount
from distil.telemetry.driver import TelemetryDriver


def count(
    telemetry: TelemetryDriver, projects: Iterable[str], meters: Collection[str], part: model.Window
) -> Iterator[SampleCount]:
    """The numbers of samples of projects in a part of a period.

    :param projects: ids of all that have samples.
    :raises TelemetryError: the samples of a project cannot be used.
    """
    for project_id in projects:
        counted = Counter(sample.meter for sample in telemetry.samples([project_id], meters, part.start, part.end))
        for meter, number in counted.items():
            yield SampleCount(project_id, meter, part.start, number)
