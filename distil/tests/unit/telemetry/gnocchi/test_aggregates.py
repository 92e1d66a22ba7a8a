# SPDX-License-Identifier: Apache-2.0
"""Which aggregations are read, and what is found out about metrics."""

import datetime
import math
import unittest
from collections.abc import Sequence
from typing import Any

import hypothesis
from hypothesis import strategies as st

from distil import exceptions
from distil import model
from distil.telemetry.gnocchi.aggregates import AggregateReader
from distil.telemetry.gnocchi.aggregates import Series
from distil.telemetry.gnocchi.aggregates import WantedSeries
from distil.telemetry.gnocchi.points import parse_points
from distil.tests.support.gnocchi_model import HOUR
from distil.tests.support.gnocchi_model import START
from distil.tests.support.gnocchi_model import GnocchiModel
from distil.tests.support.gnocchi_model import ModelMetric
from distil.tests.support.gnocchi_model import at
from distil.tests.support.gnocchi_model import refusal

PREFERENCE = ("last", "max", "mean")
NOW = (START + datetime.timedelta(hours=2)).timestamp()

_METRICS = st.builds(
    ModelMetric,
    id=st.uuids().map(str),
    aggregations=st.lists(st.sampled_from(("last", "max", "mean", "sum")), min_size=1, unique=True),
    granularity=st.sampled_from(("0:05:00", "0:05:00", "0:05:00", "1:00:00")),
    timespan=st.sampled_from(("30 days, 0:00:00", "30 days, 0:00:00", "0:30:00")),
    values=st.dictionaries(st.sampled_from(range(0, 60, 5)), st.floats()),
)


def wanted(metric: ModelMetric, preference: tuple[str, ...] = PREFERENCE, name: str = "size") -> WantedSeries:
    return WantedSeries(metric.id, name, preference)


def expected_problem(metric: ModelMetric, preference: Sequence[str] = PREFERENCE) -> bool:
    kept = set(preference) & set(metric.aggregations)
    return not kept or metric.granularity != "0:05:00" or metric.timespan == "0:30:00"


class Reader(AggregateReader):
    """At two hours after the start."""

    def __init__(self, gnocchi: GnocchiModel) -> None:
        super().__init__(gnocchi, 300, clock=lambda: NOW)


def read(gnocchi: GnocchiModel, *series: WantedSeries) -> Sequence[Series]:
    found = Reader(gnocchi).read(series, HOUR)
    return [found[each] for each in series]


class AggregateReaderTest(unittest.TestCase):
    @hypothesis.given(st.lists(_METRICS, max_size=12, unique_by=lambda metric: metric.id))
    def test_each_metric_is_read_or_has_a_problem(self, metrics: list[ModelMetric]) -> None:
        reader = Reader(GnocchiModel(metrics=metrics))
        for _ in range(2):  # the second time, with what was learned
            found = reader.read(map(wanted, metrics), HOUR)
            self.assertEqual({wanted(metric) for metric in metrics}, found.keys())
            for metric in metrics:
                series = found[wanted(metric)]
                self.assertEqual(expected_problem(metric), series.problem is not None, series)
                if series.problem is None:
                    values = {round((point.start - START.timestamp()) / 60): point.value for point in series.points}
                    self.assertEqual(repr(dict(sorted(metric.values.items()))), repr(values))

    def test_known_metrics_take_one_request(self) -> None:
        metrics = [ModelMetric(aggregations=("mean",)) for _ in range(4)]
        metrics += [ModelMetric(aggregations=("max", "sum")) for _ in range(3)]
        gnocchi = GnocchiModel(metrics=metrics)
        reader = Reader(gnocchi)
        reader.read(map(wanted, metrics), HOUR)
        gnocchi.requests.clear()
        found = reader.read(map(wanted, metrics), HOUR)
        self.assertEqual(["aggregates 7"], gnocchi.requests)
        self.assertEqual({None}, {series.problem for series in found.values()})

    def test_stock_policy_takes_one_more_question_once(self) -> None:
        metrics = [ModelMetric(aggregations=("mean",)) for _ in range(100)]
        gnocchi = GnocchiModel(metrics=metrics)
        reader = Reader(gnocchi)
        reader.read(map(wanted, metrics[:50]), HOUR)
        self.assertEqual(["aggregates 50 details", "metric", "aggregates 50 details"], gnocchi.requests)
        gnocchi.requests.clear()
        reader.read(map(wanted, metrics[50:]), HOUR)
        self.assertEqual(["aggregates 50 details"], gnocchi.requests)

    def test_metrics_without_common_aggregation_are_listed(self) -> None:
        metrics = [ModelMetric(aggregations=(("mean",), ("max",))[number % 2]) for number in range(100)]
        for cap, pages in ((1000, 1), (30, 4)):
            gnocchi = GnocchiModel(metrics=metrics, cap=cap)
            found = Reader(gnocchi).read(map(wanted, metrics), HOUR)
            self.assertEqual({None}, {series.problem for series in found.values()})
            self.assertEqual(pages, gnocchi.requests.count("metrics"))
            self.assertLess(len(gnocchi.requests), pages + 7)

    def test_user_who_may_not_list_looks_up_each_once(self) -> None:
        metrics = [ModelMetric(aggregations=(("mean",), ("max",))[number % 2]) for number in range(100)]
        gnocchi = GnocchiModel(metrics=metrics)
        gnocchi.metrics_named = list  # type: ignore[method-assign]
        reader = Reader(gnocchi)
        reader.read(map(wanted, metrics), HOUR)
        self.assertLess(len(gnocchi.requests), 110)
        gnocchi.requests.clear()
        reader.read(map(wanted, metrics), HOUR)
        self.assertEqual(["aggregates 100"], gnocchi.requests)

    def test_better_aggregation_is_read_where_it_is_kept(self) -> None:
        """That all metrics have the mean does not mean that it is the best."""
        metrics = [ModelMetric(aggregations=("mean",)), ModelMetric(aggregations=("mean", "max"))]
        gnocchi = GnocchiModel(metrics=metrics)
        asked: list[Any] = []
        aggregates = gnocchi.aggregates

        def record(series: Any, *arguments: Any, **options: Any) -> Any:
            asked.append(dict(series))
            return aggregates(series, *arguments, **options)

        gnocchi.aggregates = record  # type: ignore[method-assign]
        read(gnocchi, *map(wanted, metrics))
        last = {key: value for question in asked for key, value in question.items()}
        self.assertEqual({metrics[0].id: "mean", metrics[1].id: "max"}, last)

    def test_series_has_unit_of_its_metric(self) -> None:
        series = read(GnocchiModel(metrics=[(metric := ModelMetric(unit="B"))]), wanted(metric))[0]
        assert series.metric is not None
        self.assertEqual("B", series.metric.unit)

    def test_deleted_metric_is_a_problem_of_its_own(self) -> None:
        metric, deleted = ModelMetric(values={0: 1}), ModelMetric()
        found = read(GnocchiModel(metrics=[metric]), wanted(metric), wanted(deleted))
        self.assertEqual((None, 1), (found[0].problem, len(found[0].points)))
        self.assertIn(f"metric size ({deleted.id}) was deleted meanwhile", found[1].problem or "")

    def test_problem_is_forgotten_once_policy_is_changed(self) -> None:
        metric = ModelMetric(timespan="0:30:00")
        gnocchi = GnocchiModel(metrics=[metric])
        reader = Reader(gnocchi)
        self.assertIn(
            "for 30 min: these are deleted", reader.read([wanted(metric)], HOUR)[wanted(metric)].problem or ""
        )
        gnocchi.known[metric.id] = ModelMetric(id=metric.id)
        self.assertIsNone(reader.read([wanted(metric)], HOUR)[wanted(metric)].problem)

    def test_aggregates_of_ended_resource_stay(self) -> None:
        """The timespan of a policy is counted from the newest measure."""
        metric = ModelMetric(timespan="1:00:00")
        for ended, is_kept in ((None, False), (NOW - 3600, True), (NOW - 3599, False)):
            series = wanted(metric)._replace(ended=ended)
            self.assertEqual(is_kept, read(GnocchiModel(metrics=[metric]), series)[0].problem is None, ended)

    def test_series_missing_from_answer_is_a_problem(self) -> None:
        metric = ModelMetric()
        cases: Sequence[Any] = (
            {},
            {metric.id: {}},
            {metric.id: None},
            {metric.id: {"mean": None}},
            {metric.id: {"max": []}},
        )
        for measures in cases:
            with self.subTest(measures):
                gnocchi = GnocchiModel(metrics=[metric])
                answer = {"measures": measures, "references": [metric.document()]}
                gnocchi.aggregates = lambda *_, answer=answer, **__: answer  # type: ignore[method-assign]
                self.assertIsNotNone(read(gnocchi, wanted(metric, ("mean",)))[0].problem)

    def test_missing_description_fails(self) -> None:
        metric = ModelMetric()
        document = metric.document()
        malformed: Sequence[Any] = (None, {}, document | {"archive_policy": {}}, document | {"archive_policy": 5})
        for references in ([], *([each] for each in malformed)):
            with self.subTest(references):
                gnocchi = GnocchiModel(metrics=[metric])
                answer: Any = {"measures": {metric.id: {"mean": []}}, "references": references}
                gnocchi.aggregates = lambda *_, answer=answer, **__: answer  # type: ignore[method-assign]
                self.assertRaises(exceptions.TelemetryError, read, gnocchi, wanted(metric, ("mean",)))

    def test_other_refusals_are_errors(self) -> None:
        metric = ModelMetric()
        for error in (
            refusal(404),
            refusal(404, cause="Unknown metrics", detail=["another"]),
            refusal(404, cause="Metrics with unknown aggregation", detail=None),
            refusal(404, cause="Metrics with unknown aggregation", detail=[[metric.id, "mean"]]),
            refusal(403, cause="Forbidden"),
            refusal(500),
        ):
            with self.subTest(error):
                gnocchi = GnocchiModel(metrics=[metric])

                def refuse(*_: Any, error: Exception = error, **__: Any) -> Any:
                    raise error

                gnocchi.aggregates = refuse  # type: ignore[method-assign]
                self.assertRaises(exceptions.TelemetryError, read, gnocchi, wanted(metric, ("mean",)))
                self.assertLess(len(gnocchi.requests), 2)

    def test_batch_is_smaller_for_many_points(self) -> None:
        reader = Reader(GnocchiModel())
        self.assertEqual(500, reader.batch_size(HOUR))
        month = model.Window(START, START + datetime.timedelta(days=31))
        self.assertEqual(6, reader.batch_size(month))
        century = model.Window(START, START + datetime.timedelta(days=36500))
        self.assertEqual(1, reader.batch_size(century))


class ParsePointsTest(unittest.TestCase):
    def test_points_are_sorted(self) -> None:
        rows = [[at(55), 300.0, 2], [at(0), 300, math.nan]]
        first, second = parse_points(rows, HOUR, 300)
        self.assertEqual((START.timestamp(), True, 2), (first.start, math.isnan(first.value), second.value))

    def test_other_points_are_refused(self) -> None:
        good = [at(0), 300.0, 1]
        cases: Sequence[Any] = (
            None,
            {},
            [good, good],
            [[at(-5), 300.0, 1]],
            [[at(60), 300.0, 1]],
            [[at(1), 300.0, 1]],
            [[at(0.001), 300.0, 1]],
            [[at(0), 60.0, 1]],
            [[at(0), 300.0]],
            [[at(0), 300.0, 1, 2]],
            [[0, 300.0, 1]],
            [["today", 300.0, 1]],
            [None],
            ["abc"],
        )
        for rows in cases:
            with self.subTest(rows):
                self.assertRaises(ValueError, parse_points, rows, HOUR, 300)
