# SPDX-License-Identifier: Apache-2.0
"""A small model of Gnocchi, in memory: what its client would answer."""

import dataclasses
import datetime
import uuid
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from distil import model
from distil.sandbox.query import attribute_filter
from distil.sandbox.query.attribute_filter import Converter
from distil.sandbox.query.attribute_filter import FilterParser
from distil.telemetry.gnocchi.client import Backlog
from distil.telemetry.gnocchi.client import GnocchiClient
from distil.telemetry.http_client import StatusError
from distil.tests.support.http_server import Response

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
HOUR = model.Window(START, START + datetime.timedelta(hours=1))
PAST = "2025-12-31T00:00:00+00:00"

_TIMES = ("revision_start", "revision_end", "ended_at")
_CONVERTERS: Mapping[str, Converter] = {
    **dict.fromkeys(_TIMES, attribute_filter.to_time),
    **dict.fromkeys(("id", "project_id"), str),
}


def at(minute: float) -> str:
    """A time as Gnocchi writes it."""
    return (START + datetime.timedelta(minutes=minute)).isoformat()


def refusal(status: int, **description: Any) -> StatusError:
    return StatusError(status, Response({"code": status, "description": description}).content, "metric")


@dataclasses.dataclass(frozen=True)
class ModelMetric:
    """:param values: by minutes since the start, of every aggregation."""

    id: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))
    aggregations: Sequence[str] = ("mean",)
    granularity: str = "0:05:00"
    timespan: str = "100000 days, 0:00:00"
    unit: str | None = "GiB"
    values: Mapping[int, Any] = dataclasses.field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        definition = {"granularity": self.granularity, "timespan": self.timespan, "points": 1}
        policy = {
            "name": "-".join(self.aggregations),
            "aggregation_methods": list(self.aggregations),
            "back_window": 0,
            "definition": [definition],
        }
        return {"id": self.id, "unit": self.unit, "archive_policy": policy}


def revisions(
    resource_id: str, *starts: float, metrics: Mapping[str, str] | None = None, **attributes: Sequence[Any]
) -> list[dict[str, Any]]:
    """The rows of a resource.

    :param starts: of its revisions, in minutes since the start.
    :param attributes: the values of each in the revisions; of ``project_id`` p by default.
    """
    ends = [*(at(start) for start in starts[1:]), None]
    fixed = {"id": resource_id, "original_resource_id": resource_id, "metrics": dict(metrics or {}), "ended_at": None}
    values = {"project_id": ["p"] * len(starts)} | attributes
    return [
        fixed
        | {"revision_start": at(start), "revision_end": end}
        | {name: each[number] for name, each in values.items()}
        for number, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]


class GnocchiModel(GnocchiClient):
    """Answers as the client does.

    :param rows: revisions of resources of all types.
    :param cap: the most rows of an answer.
    """

    def __init__(
        self,
        rows: Iterable[Mapping[str, Any]] = (),
        metrics: Iterable[ModelMetric] = (),
        backlogs: Iterable[Backlog | None] = (Backlog({}, 1),),
        cap: int = 1000,
    ) -> None:
        self.requests: list[str] = []
        self._rows = sorted(rows, key=lambda row: (row["id"], row["revision_start"]))
        self.known = {metric.id: metric for metric in metrics}
        self._backlogs = list(backlogs)
        self._cap = cap

    def session_project_id(self) -> str | None:
        return None

    def search_history(
        self, resource_type: str, condition: Any, description: str, attributes: Sequence[str]
    ) -> list[Any]:
        self.requests.append(f"search {resource_type}")
        page = self._find(condition)[: self._cap]
        return [{name: value for name, value in row.items() if name in attributes} for row in page]

    def has_resource(self, condition: Any, description: str) -> bool:
        self.requests.append("search generic")
        return bool(self._find(condition))

    def _find(self, condition: Any) -> list[Mapping[str, Any]]:
        parsed = FilterParser("any", _CONVERTERS).parse(condition)
        return [row for row in self._rows if parsed.evaluate(_typed(row))]

    def aggregates(
        self, series: Sequence[tuple[str, str]], period: model.Window, granularity: int, *, details: bool
    ) -> Mapping[str, Any]:
        self.requests.append(f"aggregates {len(series)}{' details' if details else ''}")
        unknown = [metric_id for metric_id, _ in series if metric_id not in self.known]
        if unknown:
            raise refusal(404, cause="Unknown metrics", reason="Provided metrics don't exists", detail=unknown)
        for metric_id, aggregation in series:
            if aggregation not in self.known[metric_id].aggregations:
                raise refusal(404, cause="Metrics with unknown aggregation", detail=[[metric_id, aggregation]])
        length = f"0:{granularity // 60:02}:{granularity % 60:02}"
        lacking = [[*pair, float(granularity)] for pair in series if self.known[pair[0]].granularity != length]
        if lacking:
            raise refusal(400, cause="Metrics cannot be aggregated", reason="Granularities are missing", detail=lacking)
        measures: dict[str, dict[str, Any]] = {}
        for metric_id, aggregation in series:
            points = self.known[metric_id].values.items()
            measures.setdefault(metric_id, {})[aggregation] = [
                [at(minute), float(granularity), value] for minute, value in points
            ]
        references = [self.known[metric_id].document() for metric_id in dict.fromkeys(name for name, _ in series)]
        return {"measures": measures} | ({"references": references} if details else {})

    def metric(self, metric_id: str) -> Mapping[str, Any]:
        self.requests.append("metric")
        if metric_id not in self.known:
            raise refusal(404)
        return self.known[metric_id].document()

    def metrics_named(self) -> Iterable[ModelMetric]:
        """Those that the user may list."""
        return self.known.values()

    def metrics(self, name: str, after: str | None) -> list[Mapping[str, Any]]:
        self.requests.append("metrics")
        found = sorted(metric.id for metric in self.metrics_named() if metric.id > (after or ""))
        return [self.known[metric_id].document() for metric_id in found[: self._cap]]

    def backlog(self) -> Backlog | None:
        self.requests.append("backlog")
        return self._backlogs.pop(0) if len(self._backlogs) > 1 else self._backlogs[0]


def _typed(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value and datetime.datetime.fromisoformat(value) if name in _TIMES else value
        for name, value in row.items()
    }
