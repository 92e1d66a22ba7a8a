# SPDX-License-Identifier: Apache-2.0
"""What a telemetry service is asked, and which rows are an answer to it."""

import dataclasses
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping

from distil import exceptions
from distil import model
from distil.rating import sample_parser
from distil.telemetry import pagination

_NAMES_SHOWN = 3


@dataclasses.dataclass(frozen=True)
class SampleQuery:
    """The samples of these projects (ids) and meters (names)."""

    projects: frozenset[str]
    meters: frozenset[str]

    def __str__(self) -> str:
        return f"project {_names(self.projects)}, meter {_names(self.meters)}"

    def split(self) -> Iterator["SampleQuery"]:
        """The same as one question for each project and meter."""
        for project in sorted(self.projects):
            for meter in sorted(self.meters):
                yield SampleQuery(frozenset((project,)), frozenset((meter,)))

    def parse_row(self, row: object, period: model.Window) -> model.Sample | model.RejectedSample | None:
        """A row as a sample, None where it lies outside the question or the period.

        A row that names no project or meter is taken for the one that was asked for. Where several were, nobody can
        tell: it is rejected, with an empty string in the place of what it does not name.
        """
        try:
            asked = row["project_id"] in self.projects and row["meter"] in self.meters  # type: ignore[index]
        except (TypeError, LookupError):
            asked = False
        if not asked:
            return self._read_odd(row, period)
        sample = sample_parser.parse_sample(row, row["project_id"], row["meter"])  # type: ignore[index]
        moment = sample.timestamp if isinstance(sample, model.Sample) else pagination.moment(row)
        return sample if moment is None or moment in period else None

    def _read_odd(self, row: object, period: model.Window) -> model.Sample | model.RejectedSample | None:
        project_id = _named(row, "project_id", self.projects)
        meter = _named(row, "meter", self.meters)
        if (project_id and project_id not in self.projects) or (meter and meter not in self.meters):
            return None
        moment = pagination.moment(row)
        if moment is not None and moment not in period:
            return None
        if project_id and meter:
            return sample_parser.parse_sample(row, project_id, meter)
        return _unattributed(row, project_id, meter)


def _named(row: object, key: str, asked: Collection[str]) -> str:
    name = row.get(key) if isinstance(row, Mapping) else None
    if isinstance(name, str) and name:
        return name
    return next(iter(asked)) if len(asked) == 1 else ""


def _unattributed(row: object, project_id: str, meter: str) -> model.RejectedSample:
    missing = exceptions.RejectionReason.METER if project_id else exceptions.RejectionReason.PROJECT_ID
    document = row if isinstance(row, Mapping) else {"sample": row}
    resource_id = document.get("resource_id")
    known_id = resource_id if isinstance(resource_id, str) else None
    return model.RejectedSample(project_id, meter, known_id, f"{missing} is missing", document, missing)


def _names(names: Collection[str]) -> str:
    shown = ", ".join(sorted(names)[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
