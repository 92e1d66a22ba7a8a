# SPDX-License-Identifier: Apache-2.0
"""Tests of the sandbox's Gnocchi over HTTP."""

import datetime
import itertools
from typing import Any

from distil.sandbox.data import gnocchi_schema
from distil.tests.support.sandbox import HOUR
from distil.tests.support.sandbox import START
from distil.tests.support.sandbox import GnocchiTestCase

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
BY_ID = ["id:asc", "revision_start:asc"]


class SearchTest(GnocchiTestCase):
    def test_instance_has_attributes_and_metrics(self) -> None:
        instances = self._instances()
        samples = self.cloud.samples(self.project_id, "instance", START, START + HOUR)
        self.assertEqual({sample["resource_id"] for sample in samples}, {instance["id"] for instance in instances})
        instance = instances[1]
        names = ("flavor_name", "display_name", "status", "image_ref", "type", "ended_at", "deleted_at")
        expected = ["c1.c2r4", "instance-1", "active", None, "instance", None, None]
        self.assertEqual(expected, [instance[name] for name in names])
        self.assertEqual({"disk.root.size", "power.state"}, set(instance["metrics"]))
        self.assertNotIn("revision", instance)

    def test_changed_resource_has_adjacent_revisions(self) -> None:
        resized = self._instances()[5]["id"]
        rows = self.search(body={"=": {"id": resized}}, history="true").json()
        self.assertEqual(["c1.c4r8", "c1.c1r1"], [row["flavor_name"] for row in rows])
        self.assertEqual([rows[1]["revision_start"], None], [row["revision_end"] for row in rows])
        change = datetime.datetime.fromisoformat(rows[1]["revision_start"]) - START
        self.assertEqual(90 * 60, change // datetime.timedelta(seconds=1))

    def test_revisions_of_window_match(self) -> None:
        for start, expected in ((START, 8), (START + HOUR, 8 + 3), (START + 2 * HOUR, 8)):
            window: list[dict[str, Any]] = [
                self.of_project(),
                {"<": {"revision_start": (start + HOUR).isoformat()}},
                {"or": [{"=": {"revision_end": None}}, {">": {"revision_end": start.isoformat()}}]},
            ]
            self.assertEqual(expected, len(self.search(body={"and": window}, history="true").json()), start)

    def test_pages_by_id_return_each_revision_once(self) -> None:
        found: list[tuple[str, str]] = []
        condition: dict[str, Any] = {}
        rows: list[Any] = [None] * 7
        while len(rows) == 7:
            rows = self.search(body=condition, history="true", sort=BY_ID, limit=7).json()
            last = [row["id"] for row in rows if len(rows) < 7 or row["id"] != rows[-1]["id"]]
            found += [(row["id"], row["revision_start"]) for row in rows if row["id"] in last]
            condition = {">": {"id": last[-1]}}
        expected = self.search(history="true", limit=1000).json()
        self.assertEqual(sorted((row["id"], row["revision_start"]) for row in expected), found)
        self.assertEqual(5 * (8 + 3), len(set(found)))

    def test_markers_return_each_row_once(self) -> None:
        for history, sort in itertools.product((True, False), (BY_ID, ["display_name:desc"], [])):
            with self.subTest(history=history, sort=sort):
                found: list[tuple[str, str]] = []
                arguments: dict[str, Any] = {"history": history, "limit": 9, "sort": sort}
                response = self.search(**arguments)
                while "next" in response.links:
                    found += [(row["id"], row["revision_start"]) for row in response.json()]
                    url = response.links["next"]["url"]
                    response = self.session.post(url, json={}, raise_exc=False)
                found += [(row["id"], row["revision_start"]) for row in response.json()]
                self.assertEqual(5 * (11 if history else 8), len(found))
                self.assertEqual(len(found), len(set(found)))

    def test_generic_type_has_common_attributes_only(self) -> None:
        rows = self.search("generic", self.of_project()).json()
        self.assertEqual(8 * len(gnocchi_schema.KINDS), len(rows))
        self.assertNotIn("flavor_name", rows[0])

    def test_filters_match_as_sql_does(self) -> None:
        expected = (
            ({"=": {"image_ref": None}}, 4),
            ({"!=": {"image_ref": None}}, 4),
            ({"!=": {"image_ref": "x"}}, 8),
            ({"not": {"=": {"image_ref": "x"}}}, 4),
            ({"like": {"display_name": "%renamed"}}, 1),
            ({"like": {"display_name": "instance-_"}}, 7),
            ({"in": {"status": ["paused", "building"]}}, 3),
            ({"or": [{"eq": {"status": "paused"}}, {"=": {"flavor_name": "c1.c1r1"}}]}, 5),
            ({">": {"started_at": START.isoformat()}}, 8),
            ({"<": {"started_at": START.timestamp() + 1}}, 6),
            ({"=": {"ended_at": None}}, 8),
        )
        for condition, count in expected:
            with self.subTest(condition=condition):
                self.assertEqual(count, len(self.search(body={"and": [self.of_project(), condition]}).json()))

    def test_numbers_are_compared_as_numbers(self) -> None:
        clusters = self.search("coe_cluster", {"and": [self.of_project(), {">=": {"node_count": 3}}]}).json()
        self.assertTrue(0 < len(clusters) < 8)
        self.assertLessEqual(3.0, min(cluster["node_count"] for cluster in clusters))

    def test_unknown_ids_and_projects_match_nothing(self) -> None:
        for condition in ({"=": {"id": UNKNOWN_ID}}, {"in": {"id": ["no-uuid"]}}, {"=": {"project_id": "unknown"}}):
            response = self.search(body=condition)
            self.assertEqual((200, []), (response.status_code, response.json()))

    def test_requested_attributes_only(self) -> None:
        rows = self.search(body=self.of_project(), attrs=["id", "metrics"]).json()
        self.assertEqual([{"id", "metrics"}] * 8, [set(row) for row in rows])

    def test_container_id_has_no_slash(self) -> None:
        (container, *_) = self.search("swift_account", self.of_project(), sort="started_at").json()
        self.assertTrue(container["original_resource_id"].startswith(f"{self.project_id}_"))

    def test_invalid_searches_are_rejected(self) -> None:
        lacking = "Resource type instance has no nothing attribute"
        self.assert_error(self.search(body={"=": {"nothing": 1}}), 400, lacking)
        self.assert_error(self.search("nothing"), 404, "Resource type nothing does not exist")
        reason = "value must be at least 1 for dictionary value @ data['limit']"
        self.assert_error(self.search(limit=0), 400, {"cause": "Argument value error", "reason": reason})
        self.assertEqual(400, self.search(marker=UNKNOWN_ID).status_code)
        self.assertEqual(400, self.search(sort="nothing:asc").status_code)
        self.assertEqual(400, self.search(body={"=": {"revision_end": None}}).status_code)
        self.assertEqual("Invalid input", self.search(body={"near": {"id": 1}}).json()["description"]["cause"])
        self.assertEqual(400, self.search(body={"in": {"id": []}}).status_code)

    def _instances(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.search(body=self.of_project(), sort="display_name:asc").json()
        return rows


class PageLimitTest(GnocchiTestCase):
    settings = {"projects": 120, "resources": 8}  # noqa: RUF012

    def test_limit_is_capped_silently(self) -> None:
        for limit in (1000, 1001, 5000):
            self.assertEqual(1000, len(self.search(limit=limit).json()))
            self.assertEqual(1000, len(self.get("/v1/metric", name="image.size", limit=limit).json()))


class AggregatesTest(GnocchiTestCase):
    def test_buckets_have_the_samples_of_ceilometer(self) -> None:
        cases = (
            ("volume", "volume.size", "max", "volume.size"),
            ("image", "image.size", "mean", "image.size"),
            ("traffic", "traffic.outbound.national", "sum", "traffic.outbound.national"),
            ("loadbalancer", "loadbalancer.provisioning", "mean", "network.services.octavia.loadbalancer"),
        )
        for resource_type, metric, method, meter in cases:
            with self.subTest(metric=metric):
                response = self.aggregates(resource_type, (metric, method), search=self.of_project())
                measures = response.json()["measures"]
                found = [
                    (resource_id, point[0][:19], point[2])
                    for resource_id, metrics in measures.items()
                    for point in metrics[metric][method]
                ]
                samples = self.cloud.samples(self.project_id, meter, START, START + HOUR)
                expected = [
                    (sample["resource_id"], _bucket(sample["timestamp"]), sample["volume"]) for sample in samples
                ]
                self.assertCountEqual(expected, found)
                self.assertEqual(8 * 6, len(found))

    def test_point_has_bucket_granularity_and_value(self) -> None:
        response = self.aggregates("network", ("ip.floating", "mean"), search=self.of_project())
        points = next(iter(response.json()["measures"].values()))["ip.floating"]["mean"]
        self.assertEqual(["2026-01-01T00:00:00+00:00", 300.0, 1.0], points[0])

    def test_start_is_rounded_down_and_stop_excluded(self) -> None:
        starts = []
        for start, stop in ((0, 600), (299, 601), (301, 600)):
            window = {"start": START.timestamp() + start, "stop": START.timestamp() + stop}
            response = self.aggregates("image", ("image.size", "mean"), search=self.of_project(), **window)
            first = min(response.json()["measures"].values(), key=lambda metrics: metrics["image.size"]["mean"])
            starts.append([point[0][11:16] for point in first["image.size"]["mean"]])
        self.assertEqual([["00:00"], ["00:00", "00:10"], []], starts)

    def test_several_metrics_are_aggregated_at_once(self) -> None:
        references = [("traffic.*", "sum"), ("traffic.inbound.national", "max")]
        response = self.aggregates("traffic", *references, search=self.of_project())
        metrics = next(iter(response.json()["measures"].values()))
        self.assertEqual(4, len(metrics))
        self.assertEqual({"sum", "max"}, set(metrics["traffic.inbound.national"]))

    def test_period_without_measures_gives_empty_series(self) -> None:
        response = self.aggregates("image", ("image.size", "mean"), start="2025-01-01", stop="2025-01-02")
        self.assertEqual((200, 5 * 8), (response.status_code, len(response.json()["measures"])))
        self.assertEqual({"image.size": {"mean": []}}, next(iter(response.json()["measures"].values())))

    def test_nothing_visible_returns_404(self) -> None:
        text = "Metric ['image.size'] does not exist"
        self.assert_error(self.aggregates("volume", ("image.size", "mean")), 404, text)
        unknown = {"=": {"project_id": "unknown"}}
        self.assert_error(self.aggregates("image", ("image.size", "mean"), search=unknown), 404, text)

    def test_unknown_aggregation_names_one_metric(self) -> None:
        response = self.aggregates("image", ("image.size", "sum"), search=self.of_project())
        ((metric, method),) = response.json()["description"]["detail"]
        self.assertEqual((404, "sum"), (response.status_code, method))
        self.assertEqual("image.size", self.get(f"/v1/metric/{metric}").json()["name"])

    def test_unknown_granularity_lists_metrics(self) -> None:
        response = self.aggregates("image", ("image.size", "mean"), search=self.of_project(), granularity=60)
        reason = "Granularities are missing"
        missing = [["image.size", "mean", 60.0]] * 8
        description = {"cause": "Metrics cannot be aggregated", "reason": reason, "detail": missing}
        self.assert_error(response, 400, description)

    def test_invalid_requests_are_rejected(self) -> None:
        unknown_type = {"cause": "Resource type does not exist", "detail": "nothing"}
        self.assert_error(self.aggregates("nothing", ("cpu", "mean")), 400, unknown_type)
        reference = ("image.size", "mean")
        for arguments in ({"start": "x"}, {"granularity": "0"}, {"granularity": "x"}, {"groupby": "id"}):
            self.assertEqual(400, self.aggregates("image", reference, **arguments).status_code, arguments)
        self.assertEqual(415, self.request("POST", "/v1/aggregates", data="{}").status_code)


class MetricAggregatesTest(GnocchiTestCase):
    """Metrics that are named by their IDs."""

    def ids(self) -> dict[str, str]:
        """The IDs of the metrics of some volumes, by those of the volumes."""
        rows = self.search("volume", self.of_project()).json()
        return {row["id"]: row["metrics"]["volume.size"] for row in rows}

    def fetch(self, *references: tuple[str, str], **params: Any) -> Any:
        window = {"start": START.isoformat(), "stop": (START + HOUR).isoformat(), "granularity": 300}
        return self.request(
            "POST", "/v1/aggregates", json={"operations": ["metric", *references]}, params=window | params
        )

    def test_series_are_those_of_the_resources(self) -> None:
        by_resource = self.aggregates("volume", ("volume.size", "max"), search=self.of_project()).json()["measures"]
        found = self.fetch(*((metric, "max") for metric in self.ids().values())).json()
        expected = {self.ids()[resource]: metrics["volume.size"] for resource, metrics in by_resource.items()}
        self.assertEqual({"measures": expected}, found)

    def test_details_describe_metrics(self) -> None:
        metric = next(iter(self.ids().values()))
        (described,) = self.fetch((metric, "max"), details="true").json()["references"]
        self.assertEqual((metric, "GB"), (described["id"], described["unit"]))
        self.assertIn("max", described["archive_policy"]["aggregation_methods"])

    def test_what_cannot_be_answered_is_named(self) -> None:
        metric = next(iter(self.ids().values()))
        reason = "Provided metrics don't exists"
        expected: dict[str, Any] = {"cause": "Unknown metrics", "reason": reason, "detail": [UNKNOWN_ID]}
        self.assert_error(self.fetch((metric, "max"), (UNKNOWN_ID, "max")), 404, expected)
        expected = {"cause": "Metrics with unknown aggregation", "detail": [[metric, "mean"]]}
        self.assert_error(self.fetch((metric, "mean")), 404, expected)
        reason = "Granularities are missing"
        expected = {"cause": "Metrics cannot be aggregated", "reason": reason, "detail": [[metric, "max", 60.0]]}
        self.assert_error(self.fetch((metric, "max"), granularity=60), 400, expected)


class MetricsTest(GnocchiTestCase):
    def test_pages_list_each_metric_once(self) -> None:
        found: list[dict[str, Any]] = []
        marker: dict[str, str] = {}
        while not found or marker:
            page = self.get("/v1/metric", name="image.size", limit=9, sort="id:asc", **marker).json()
            found += page
            marker = {"marker": page[-1]["id"]} if len(page) == 9 else {}
        self.assertEqual(5 * 8, len({metric["id"] for metric in found}))
        self.assertEqual(sorted(metric["id"] for metric in found), [metric["id"] for metric in found])
        images = self.search("image").json()
        self.assertEqual(
            {image["id"]: image["metrics"]["image.size"] for image in images},
            {metric["resource_id"]: metric["id"] for metric in found},
        )

    def test_metric_has_its_policy(self) -> None:
        (metric, *_) = self.get("/v1/metric", name="volume.size").json()
        self.assertEqual(("billing", 24), (metric["archive_policy"]["name"], metric["archive_policy"]["back_window"]))
        definition = {"timespan": "90 days, 0:00:00", "granularity": "0:05:00", "points": 25920}
        self.assertEqual([definition], metric["archive_policy"]["definition"])
        single = self.get(f"/v1/metric/{metric['id']}").json()
        self.assertEqual(metric["resource_id"], single.pop("resource")["id"])
        self.assertEqual({key: value for key, value in metric.items() if key != "resource_id"}, single)

    def test_filters_select_metrics(self) -> None:
        self.assertEqual([], self.get("/v1/metric", name="nothing").json())
        self.assertEqual([], self.get("/v1/metric", name="image.size", unit="GiB").json())
        self.assertEqual(5 * 8, len(self.get("/v1/metric", name="image.size", resource_id="ignored").json()))

    def test_invalid_requests_are_rejected(self) -> None:
        self.assertEqual(400, self.get("/v1/metric", marker=UNKNOWN_ID).status_code)
        self.assertEqual(400, self.get("/v1/metric", limit="x").status_code)
        self.assert_error(self.get(f"/v1/metric/{UNKNOWN_ID}"), 404, f"Metric {UNKNOWN_ID} does not exist")


class ServiceTest(GnocchiTestCase):
    def test_catalog_has_the_service(self) -> None:
        endpoint = str(self.session.get_endpoint(service_type="metric"))
        self.assertEqual("4.7.1", self.session.get(endpoint, authenticated=False).json()["build"])

    def test_definitions_are_listed(self) -> None:
        policies = {policy["name"]: policy for policy in self.get("/v1/archive_policy").json()}
        self.assertEqual(policies["billing"], self.get("/v1/archive_policy/billing").json())
        types = {resource_type["name"]: resource_type for resource_type in self.get("/v1/resource_type").json()}
        self.assertEqual(types["instance"], self.get("/v1/resource_type/instance").json())
        self.assertEqual("string", types["instance"]["attributes"]["status"]["type"])
        self.assertIn("sum", self.get("/v1/capabilities").json()["aggregation_methods"])
        for path in ("/v1/archive_policy/nothing", "/v1/resource_type/nothing", "/v1/nothing"):
            self.assertEqual(404, self.get(path).status_code, path)

    def test_status_counts_no_measures(self) -> None:
        summary = {"metrics": 0, "measures": 0}
        self.assertEqual({"summary": summary, "measures_to_process": {}}, self.get("/v1/status").json()["storage"])
        self.assertEqual({"summary": summary}, self.get("/v1/status", details="false").json()["storage"])

    def test_errors_are_html_unless_json_is_accepted(self) -> None:
        response = self.request("GET", "/v1/metric/unknown", headers={"Accept": "*/*"})
        self.assertEqual((404, "text/html; charset=UTF-8"), (response.status_code, response.headers["Content-Type"]))
        self.assertIn("Metric unknown does not exist", response.text)

    def test_requests_need_a_token(self) -> None:
        for path in ("/v1", "/v1/metric", "/v1/nothing"):
            self.assertEqual(401, self.request("GET", path, authenticated=False).status_code, path)


def _bucket(timestamp: str) -> str:
    """Return the start of the bucket that a sample is in."""
    time = datetime.datetime.fromisoformat(timestamp)
    return time.replace(minute=time.minute // 5 * 5, second=0, microsecond=0).isoformat()
