# SPDX-License-Identifier: Apache-2.0
"""Tests of searches and aggregates, against any server of Gnocchi's API."""

import datetime
import itertools
import operator
import uuid
from collections.abc import Iterator
from typing import Any

import requests

from distil.tests.support.gnocchi_case import GRANULARITY
from distil.tests.support.gnocchi_case import HISTORY
from distil.tests.support.gnocchi_case import GnocchiCase


class SearchScenario(GnocchiCase):
    """Resources and their revisions."""

    def pages(self, limit: int) -> Iterator[list[Any]]:
        """Page as the driver does: without a marker, because Gnocchi loses rows if the marker's resource changes."""
        conditions: list[Any] = [{"=": {"project_id": self.project}}]
        while True:
            response = self.send("POST", f"{HISTORY}asc&limit={limit}", {"and": conditions})
            rows = response.json()
            if "next" not in response.links:
                yield rows
                return
            complete = [row for row in rows if row["id"] != rows[-1]["id"]]
            yield complete
            conditions = [*conditions[:1], {">": {"id": complete[-1]["id"]}}]

    def test_pages_hold_each_revision_once(self) -> None:
        expected = self.revisions()
        revisions_of_one = len(expected) // len(self.instances())
        for limit in range(revisions_of_one + 1, len(expected) + 2):
            with self.subTest(limit=limit):
                self.assertEqual(expected, list(itertools.chain.from_iterable(self.pages(limit))))

    def test_limit_is_capped_silently(self) -> None:
        for query in ("", f"&limit={self.max_limit}", f"&limit={self.max_limit + 1}"):
            with self.subTest(query=query):
                response = self.send("POST", f"search/resource/generic?history=true{query}", {})
                self.assertEqual((200, self.max_limit), (response.status_code, len(response.json())))
                self.assertIn("next", response.links)

    def test_short_page_has_no_link(self) -> None:
        response = self.send("POST", HISTORY + "asc&limit=2", {"=": {"id": self.instances()[0]}})
        self.assertIn("next", response.links)
        response = self.send("POST", HISTORY + "asc&limit=3", {"=": {"id": self.instances()[0]}})
        self.assertEqual((2, {}), (len(response.json()), response.links))

    def test_order_within_resource_can_be_reversed(self) -> None:
        groups = itertools.groupby(self.revisions(), operator.itemgetter("id"))
        newest_first = [row for _, group in groups for row in reversed(list(group))]
        self.assertEqual(newest_first, self.revisions("desc"))

    def test_revisions_join(self) -> None:
        for _, group in itertools.groupby(self.revisions(), operator.itemgetter("id")):
            first, second = group
            self.assertEqual((second["revision_start"], None), (first["revision_end"], second["revision_end"]))
            self.assertLessEqual(first["started_at"], first["revision_start"])
            self.assertLess(first["revision_start"], second["revision_start"])
            self.assertEqual(
                (first["started_at"], first["metrics"]["disk.root.size"]),
                (second["started_at"], second["metrics"]["disk.root.size"]),
            )

    def test_times_are_conditions(self) -> None:
        second = self.revisions()[1]
        conditions = (
            {"=": {"revision_end": None}},
            {">=": {"revision_start": second["revision_start"]}},
            {"not": {"<": {"revision_start": second["revision_start"]}}},
            {"and": [{"or": [{"=": {"ended_at": None}}, {">": {"ended_at": second["revision_start"]}}]}]},
        )
        counts = (1, 1, 1, 2)
        for condition, count in zip(conditions, counts, strict=True):
            with self.subTest(condition=condition):
                both = {"and": [condition, {"in": {"id": [second["id"]]}}]}
                self.assertEqual(count, len(self.rows("POST", HISTORY + "asc", both)))

    def test_attributes_can_be_selected(self) -> None:
        path = HISTORY + "asc&attrs=id&attrs=revision_start&attrs=metrics"
        rows = self.rows("POST", path, {"=": {"project_id": self.project}})
        self.assertEqual([{"id", "revision_start", "metrics"}] * len(rows), [set(row) for row in rows])

    def test_impossible_searches_are_refused(self) -> None:
        response = self.send("POST", "search/resource/nothing", {})
        self.assert_error(response, 404, "Not Found", "Resource type nothing does not exist")
        response = self.send("POST", "search/resource/instance", {"=": {"nothing": "x"}})
        self.assert_error(response, 400, "Bad Request", "Resource type instance has no nothing attribute")
        for path in ("search/resource/instance?limit=0", "search/resource/instance?sort=nothing:asc"):
            with self.subTest(path=path):
                self.assertEqual(400, self.send("POST", path, {}).status_code)
        self.assertEqual(400, self.send("POST", "search/resource/instance", {"in": {"id": []}}).status_code)


class AggregatesScenario(GnocchiCase):
    """Aggregates of the metrics of resources, without a group and without history."""

    def buckets(self, response: requests.Response) -> dict[str, list[datetime.datetime]]:
        self.assertEqual(200, response.status_code)
        found: dict[str, list[datetime.datetime]] = {}
        for resource_id, metrics in response.json()["measures"].items():
            ((name, methods),) = metrics.items()
            ((method, buckets),) = methods.items()
            self.assertEqual(("disk.root.size", "max"), (name, method))
            self.assertTrue(all(isinstance(value, float) and seconds == 300.0 for _, seconds, value in buckets))
            found[resource_id] = [datetime.datetime.fromisoformat(time) for time, _, _ in buckets]
        return found

    def test_all_resources_are_answered(self) -> None:
        found = self.buckets(self.aggregates())
        self.assertEqual(self.instances(), sorted(found))
        for times in found.values():
            self.assertEqual(sorted(times), times)
            self.assertTrue(times)
            self.assertTrue(all(self.start <= time < self.end and time.minute % 5 == 0 for time in times))
        some = self.instances()[:2]
        self.assertEqual(some, sorted(self.buckets(self.aggregates(condition={"in": {"id": some}}))))

    def test_period_is_half_open(self) -> None:
        every = self.buckets(self.aggregates())[self.instances()[0]]
        first, second = every[0], every[1]
        periods = {(first, second): [first], (first + GRANULARITY / 2, second + GRANULARITY): [first, second]}
        for (start, stop), expected in periods.items():
            with self.subTest(start=start, stop=stop):
                response = self.aggregates(start=start.isoformat(), stop=stop.isoformat())
                self.assertEqual(expected, self.buckets(response)[self.instances()[0]])

    def test_period_without_measures_is_empty(self) -> None:
        start, stop = self.start - datetime.timedelta(days=1), self.start - datetime.timedelta(hours=23)
        response = self.aggregates(start=start.isoformat(), stop=stop.isoformat())
        measures = response.json()["measures"]
        self.assertEqual(self.instances(), sorted(measures))
        self.assertTrue(all(metrics == {"disk.root.size": {"max": []}} for metrics in measures.values()))

    def test_resource_without_metric_is_left_out(self) -> None:
        response = self.aggregates("image.size", "mean", "generic")
        (image,) = self.rows("POST", "search/resource/image", {"=": {"project_id": self.project}})
        self.assertEqual([image["id"]], list(response.json()["measures"]))

    def test_missing_aggregation_names_one_metric(self) -> None:
        response = self.aggregates(method="mean")
        description = response.json()["description"]
        metrics = {row["metrics"]["disk.root.size"] for row in self.revisions()}
        ((metric, method),) = description.pop("detail")
        self.assertEqual({"cause": "Metrics with unknown aggregation"}, description)
        self.assertEqual((404, "mean", True), (response.status_code, method, metric in metrics))

    def test_missing_granularity_is_refused(self) -> None:
        response = self.aggregates(granularity=60)
        detail = [["disk.root.size", "max", 60.0]] * len(self.instances())
        description = {"cause": "Metrics cannot be aggregated", "reason": "Granularities are missing", "detail": detail}
        self.assert_error(response, 400, "Bad Request", description)

    def test_unknown_names_are_refused(self) -> None:
        absent = "Metric ['nothing'] does not exist"
        self.assert_error(self.aggregates("nothing"), 404, "Not Found", absent)
        response = self.aggregates("nothing", condition={"=": {"id": str(uuid.uuid4())}})
        self.assert_error(response, 404, "Not Found", absent)
        description = {"cause": "Resource type does not exist", "detail": "nothing"}
        self.assert_error(self.aggregates(resource_type="nothing"), 400, "Bad Request", description)


class MetricAggregatesScenario(GnocchiCase):
    """Aggregates of metrics that are named by their IDs."""

    def fetch(self, *references: tuple[str, str], **query: Any) -> requests.Response:
        parameters = {"start": self.start.isoformat(), "stop": self.end.isoformat(), "granularity": 300} | query
        return self.send("POST", "aggregates", {"operations": ["metric", *references]}, params=parameters)

    def metrics(self) -> dict[str, str]:
        """The IDs of the metrics of the project's instances, by those of the instances."""
        return {row["id"]: row["metrics"]["disk.root.size"] for row in self.revisions()}

    def test_each_metric_has_its_own_aggregation(self) -> None:
        by_resource = self.aggregates().json()["measures"]
        first, second, *_ = sorted(self.metrics().items())
        measures = self.fetch((first[1], "max"), (second[1], "last")).json()["measures"]
        self.assertEqual(
            {first[1]: ["max"], second[1]: ["last"]}, {key: list(value) for key, value in measures.items()}
        )
        self.assertEqual(by_resource[first[0]]["disk.root.size"]["max"], measures[first[1]]["max"])

    def test_metrics_are_described_on_demand(self) -> None:
        metric_id = next(iter(self.metrics().values()))
        self.assertEqual({"measures"}, self.fetch((metric_id, "max")).json().keys())
        (described,) = self.fetch((metric_id, "max"), details="true").json()["references"]
        expected = self.rows("GET", f"metric/{metric_id}")
        names = ("id", "name", "unit")
        self.assertEqual([expected[name] for name in names], [described[name] for name in names])
        for document in (expected, described):
            document["archive_policy"]["aggregation_methods"].sort()
        self.assertEqual(expected["archive_policy"], described["archive_policy"])

    def test_unknown_metrics_are_all_named(self) -> None:
        unknown = [str(uuid.uuid4()), str(uuid.uuid4())]
        response = self.fetch(*((name, "max") for name in (*self.metrics().values(), *unknown)))
        description = response.json()["description"]
        self.assertCountEqual(unknown, description.pop("detail"))
        self.assertEqual({"cause": "Unknown metrics", "reason": "Provided metrics don't exists"}, description)
        self.assertEqual(404, response.status_code)

    def test_metric_without_aggregation_is_named(self) -> None:
        first, second, *_ = self.metrics().values()
        description = {"cause": "Metrics with unknown aggregation", "detail": [[second, "mean"]]}
        self.assert_error(self.fetch((first, "max"), (second, "mean")), 404, "Not Found", description)

    def test_metrics_without_granularity_are_all_named(self) -> None:
        references = [(name, "max") for name in self.metrics().values()]
        response = self.fetch(*references, granularity=60)
        description = response.json()["description"]
        self.assertCountEqual([[*reference, 60.0] for reference in references], description.pop("detail"))
        reason = "Granularities are missing"
        self.assertEqual({"cause": "Metrics cannot be aggregated", "reason": reason}, description)
