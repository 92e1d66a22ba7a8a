# SPDX-License-Identifier: Apache-2.0
"""The resources of a period, with the revisions of their attributes that were in force in it."""

import bisect
import datetime
import itertools
import operator
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from typing import NamedTuple

from distil import exceptions
from distil import model
from distil.telemetry.gnocchi import client
from distil.telemetry.http_client import StatusError
from distil.telemetry.http_client import show_value

_KEYS = ("id", "original_resource_id", "project_id", "revision_start", "ended_at", "metrics")

COMMON_ATTRIBUTES = frozenset((*_KEYS, "type", "user_id", "creator", "started_at", "revision_end"))
"""The attributes of resources of every type, as far as they are of use."""

# A revision begins when Gnocchi is told of a change, which may be long after it: when a queue was held up. Then usage
# before its first revision is a resource's, too. Without any limit, old periods would be searched ever more slowly.
_MAX_DELAY = datetime.timedelta(days=1)

# From a measure to the revision that shows its change: below a second, as a rule. A poll at the full hour that finds
# another flavor makes a revision shortly after it; otherwise, the old one would count in the hour's first aggregate.
_REVISION_DELAY_SECONDS = 10


class Revision(NamedTuple):
    """What was known of a resource from some time on.

    :param start: seconds since 1970.
    :param start_text: the same, as Gnocchi writes it.
    :param attributes: by name.
    """

    start: float
    start_text: str
    project_id: str | None
    attributes: Mapping[str, Any]


class Resource(NamedTuple):
    """A resource.

    :param original_id: the id that it was created with, from which Gnocchi made its own unless it is a UUID.
    :param metrics: ids of its metrics, by name.
    :param ended: seconds since 1970; None: it has not ended.
    :param revisions: oldest first, at least one. The first counts for all before, the last for all after it.
    """

    id: str
    original_id: str
    metrics: Mapping[str, str]
    ended: float | None
    revisions: Sequence[Revision]

    @property
    def projects(self) -> frozenset[str]:
        """The ids of the projects to which it belonged in the period."""
        return frozenset(revision.project_id for revision in self.revisions if revision.project_id is not None)


class MalformedResource(NamedTuple):
    """A resource whose rows cannot be used.

    :param projects: ids of those to which it belongs, as far as they are known.
    """

    id: str
    projects: Collection[str]
    problem: str


def in_force(starts: Sequence[float], start: float, end: float) -> range:
    """The numbers of the revisions that were in force at any time in [start, end): at least one.

    One that begins a few seconds after ``start``, but within the first half, was in force from there.

    :param starts: of the revisions, ascending; in seconds since 1970, as ``start`` and ``end``.
    """
    delay = min(_REVISION_DELAY_SECONDS, (end - start) / 2)
    first = max(0, bisect.bisect_right(starts, start + delay) - 1)
    return range(first, max(first + 1, bisect.bisect_left(starts, end)))


def find_resources(
    gnocchi: client.GnocchiClient, resource_type: str, attributes: Iterable[str], period: model.Window
) -> Iterator[Resource | MalformedResource]:
    """All resources of a type that may have measures in a period, of all projects.

    :param attributes: names of the attributes that the revisions are to have beside those of all types.
    :raises TelemetryError: there is no usable answer.
    """
    names = sorted({*_KEYS, *attributes})
    rows = _rows(gnocchi, resource_type, names, period)
    for resource_id, group in itertools.groupby(rows, key=operator.attrgetter("resource_id")):
        yield _parse(resource_id, list(group), names, resource_type)


class _Row(NamedTuple):
    """A revision as Gnocchi answers it.

    :param start: seconds since 1970.
    """

    resource_id: str
    start: float
    values: Mapping[str, Any]


def _rows(
    gnocchi: client.GnocchiClient, resource_type: str, names: Sequence[str], period: model.Window
) -> Iterator[_Row]:
    """The revisions by id and start.

    Pages continue after the last row until one is empty: Gnocchi may answer with fewer rows than are asked for. Its own
    markers and links lose rows, or are cut off.
    """
    last: _Row | None = None
    description = f"{resource_type} in {period}"
    while True:
        condition = {"and": [*_conditions(period), *(_after(last) if last else ())]}
        page = _search(gnocchi, resource_type, names, condition, description)
        if not page:
            return
        for values in page:
            row = _row(values, description)
            if last is not None and row[:2] <= last[:2]:
                reason = f"the revisions are not sorted by id and start: {row[:2]} follows {last[:2]}"
                raise exceptions.TelemetryError(reason, request=f"{client.SERVICE_TYPE} search ({description})")
            last = row
            yield row


def _search(
    gnocchi: client.GnocchiClient, resource_type: str, names: Sequence[str], condition: Any, description: str
) -> Sequence[Any]:
    try:
        return gnocchi.search_history(resource_type, condition, description, names)
    except StatusError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        reason = f"Gnocchi has no resource type {show_value(resource_type)}, which the meters file names"
        raise exceptions.TelemetryError(reason, affects_all=True) from error


def _conditions(period: model.Window) -> Sequence[Any]:
    """What revisions of a period meet. A project is not asked for: a transfer ends a revision of another."""
    start = period.start.isoformat()
    return (
        {"<": {"revision_start": (period.end + _MAX_DELAY).isoformat()}},
        {"or": [{"=": {"revision_end": None}}, {">": {"revision_end": start}}]},
        {"or": [{"=": {"ended_at": None}}, {">=": {"ended_at": start}}]},
    )


def _after(row: _Row) -> Sequence[Any]:
    start = row.values["revision_start"]
    same = {"and": [{"=": {"id": row.resource_id}}, {">": {"revision_start": start}}]}
    # The first condition follows from the second. With it, the database need not look at all resources.
    return {">=": {"id": row.resource_id}}, {"or": [{">": {"id": row.resource_id}}, same]}


def _row(values: Any, description: str) -> _Row:
    if isinstance(values, dict) and isinstance(values.get("id"), str):
        start = _time(values.get("revision_start"))
        if start is not None:
            return _Row(values["id"], start, values)
    reason = f"a revision without id or start: {show_value(values)}"
    raise exceptions.TelemetryError(reason, request=f"{client.SERVICE_TYPE} search ({description})")


def _parse(
    resource_id: str, rows: Sequence[_Row], names: Collection[str], resource_type: str
) -> Resource | MalformedResource:
    last = rows[-1].values
    missing = [name for name in names if name not in last]
    if missing:
        reason = f"Gnocchi's resource type {resource_type} has no attribute {', '.join(missing)}"
        raise exceptions.TelemetryError(f"{reason}, which the meters file names", affects_all=True)
    projects = _owners([row.values.get("project_id") for row in rows])
    problem = _problem(last)
    if problem:
        known = frozenset(project_id for project_id in projects if project_id is not None)
        return MalformedResource(resource_id, known, f"resource {resource_id} of type {resource_type}: {problem}")
    return Resource(
        id=resource_id,
        original_id=last["original_resource_id"] or resource_id,
        metrics=last["metrics"],
        ended=_time(last["ended_at"]),
        revisions=[
            Revision(row.start, row.values["revision_start"], project_id, row.values)
            for row, project_id in zip(rows, projects, strict=True)
        ],
    )


def _owners(project_ids: Sequence[Any]) -> Sequence[str | None]:
    """The project of each revision. One that does not name it belongs to the next that is known, else the last."""
    known: str | None = None
    owners: list[str | None] = []
    for project_id in reversed(project_ids):
        known = project_id if isinstance(project_id, str) and project_id else known
        owners.append(known)
    owners.reverse()
    last = next((project_id for project_id in reversed(owners) if project_id is not None), None)
    return [last if project_id is None else project_id for project_id in owners]


def _problem(row: Mapping[str, Any]) -> str | None:
    metrics = row["metrics"]
    if not isinstance(metrics, dict) or not all(isinstance(metric_id, str) for metric_id in metrics.values()):
        return f"its metrics are not ids by name: {show_value(metrics)}"
    if not isinstance(row["original_resource_id"], str | None):
        return f"its original id is not text: {show_value(row['original_resource_id'])}"
    if row["ended_at"] is not None and _time(row["ended_at"]) is None:
        return f"its end is not a time: {show_value(row['ended_at'])}"
    return None


def _time(value: object) -> float | None:
    """Seconds since 1970; None if it is not a time."""
    try:
        return model.parse_time(value).timestamp()
    except ValueError:
        return None
