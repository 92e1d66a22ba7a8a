# SPDX-License-Identifier: Apache-2.0
"""Queries for samples, and the rows that match them."""

import dataclasses
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping

from distil import exceptions
from distil import model
from distil.rating import sample_parser
from distil.telemetry import pagination

_MAX_NAMES = 3


@dataclasses.dataclass(frozen=True)
class SampleQuery:
    """A query for the samples of projects (ids) and meters (names)."""

    projects: frozenset[str]
    meters: frozenset[str]

    def __str__(self) -> str:
        projects = f"project {_format_names(self.projects)}" if self.projects else "all projects"
        return f"{projects}, meter {_format_names(self.meters)}"

    def split(self) -> Iterator["SampleQuery"]:
        """An equivalent query for each project and meter."""
        for project in sorted(self.projects):
            for meter in sorted(self.meters):
                yield SampleQuery(frozenset((project,)), frozenset((meter,)))

    def halves(self) -> list["SampleQuery"]:
        """Equivalent queries for half the projects each, or for half the meters of one; none for a single meter."""
        if len(self.projects) > 1:
            return [SampleQuery(half, self.meters) for half in _halve(self.projects)]
        if len(self.meters) > 1:
            return [SampleQuery(self.projects, half) for half in _halve(self.meters)]
        return []

    def parse_row(self, row: object, period: model.Window) -> model.Sample | model.RejectedSample | None:
        """Parse a row; None if it is outside of the query or the period.

        A row without project or meter is taken for the queried one. If several were queried, it is ambiguous and
        rejected, with an empty string as project or meter.
        """
        try:
            matches = row["project_id"] in self.projects and row["meter"] in self.meters  # type: ignore[index]
        except (TypeError, LookupError):
            matches = False
        if not matches:
            return self._parse_incomplete(row, period)
        sample = sample_parser.parse_sample(row, row["project_id"], row["meter"])  # type: ignore[index]
        time = sample.timestamp if isinstance(sample, model.Sample) else pagination.row_time(row)
        return sample if time is None or time in period else None

    def _parse_incomplete(self, row: object, period: model.Window) -> model.Sample | model.RejectedSample | None:
        project_id = _name(row, "project_id", self.projects)
        meter = _name(row, "meter", self.meters)
        if (project_id and project_id not in self.projects) or (meter and meter not in self.meters):
            return None
        time = pagination.row_time(row)
        if time is not None and time not in period:
            return None
        if project_id and meter:
            return sample_parser.parse_sample(row, project_id, meter)
        return _reject_ambiguous(row, project_id, meter)


def _halve(names: Collection[str]) -> Iterator[frozenset[str]]:
    ordered, middle = sorted(names), len(names) // 2
    yield frozenset(ordered[:middle])
    yield frozenset(ordered[middle:])


def _name(row: object, key: str, queried: Collection[str]) -> str:
    """The row's own name, else the only one queried; empty if it is ambiguous."""
    name = row.get(key) if isinstance(row, Mapping) else None
    if isinstance(name, str) and name:
        return name
    return next(iter(queried)) if len(queried) == 1 else ""


def _reject_ambiguous(row: object, project_id: str, meter: str) -> model.RejectedSample:
    missing = exceptions.RejectionReason.METER if project_id else exceptions.RejectionReason.PROJECT_ID
    document = row if isinstance(row, Mapping) else {"sample": row}
    resource_id = document.get("resource_id")
    readable_id = resource_id if isinstance(resource_id, str) else None
    return model.RejectedSample(project_id, meter, readable_id, f"{missing} is missing", document, missing)


def _format_names(names: Collection[str]) -> str:
    shown = ", ".join(sorted(names)[:_MAX_NAMES])
    more = len(names) - _MAX_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
