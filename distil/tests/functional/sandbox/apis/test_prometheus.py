# SPDX-License-Identifier: Apache-2.0
"""Tests of the sandbox's Prometheus and Aetos: the usage that Ceilometer has, too."""

import datetime
import itertools
from typing import Any

from distil.sandbox.apis.prometheus_queries import PrometheusSettings
from distil.sandbox.data import openstack_exporter
from distil.sandbox.data.meters import METERS
from distil.sandbox.data.prometheus_series import METRICS
from distil.tests.support.sandbox import HOUR
from distil.tests.support.sandbox import START
from distil.tests.support.sandbox import PrometheusTestCase


class ScrapedSeriesTest(PrometheusTestCase):
    def test_gauges_repeat_newest_sample(self) -> None:
        metrics = {
            "ceilometer_volume_size": ("volume.size", "resource", "project"),
            "openstack_cinder_volume_gb": ("volume.size", "id", "tenant_id"),
            "openstack_glance_image_bytes": ("image.size", "id", "tenant_id"),
            "ceilometer_storage_containers_objects_size": ("storage.containers.objects.size", "resource", "project"),
        }
        for metric, (meter, resource_label, project_label) in metrics.items():
            with self.subTest(metric=metric):
                series = self.series(f'{metric}{{{project_label}="{self.project_id}"}}[1h]')
                found = {
                    (each["metric"][resource_label], time // 600, float(value))
                    for each in series
                    for time, value in each["values"]
                }
                expected = {
                    (sample["resource_id"], _seconds(sample["timestamp"]) // 600, sample["volume"])
                    for sample in self.samples(meter)
                }
                self.assertEqual(expected, found)
                self.assertEqual({60}, {len(each["values"]) for each in series})

    def test_scrapes_are_not_at_whole_seconds(self) -> None:
        (up, *_) = self.series('up{job="ceilometer"}[5m]')
        offsets = {round(time * 1000) % 60_000 for time, _ in up["values"]}
        self.assertEqual((5, {8_137}), (len(up["values"]), offsets))

    def test_counters_grow_by_deltas(self) -> None:
        counters = {
            'router_bytes_total{direction="out",scope="international"': "traffic.outbound.international",
            'router_bytes_total{direction="in",scope="national"': "traffic.inbound.national",
            'swift_bytes_total{direction="upload",scope="national"': "storage.objects.upload.size.national",
        }
        for selector, meter in counters.items():
            start = START + HOUR
            with self.subTest(meter=meter):
                grown = _grown(self.series(f'{selector},project_id="{self.project_id}"}}[61m]', start + HOUR))
                expected: dict[str, float] = {}
                for sample in self.samples(meter, start):
                    expected[sample["resource_id"]] = expected.get(sample["resource_id"], 0) + sample["volume"]
                self.assertEqual(expected, grown)

    def test_changed_label_starts_series(self) -> None:
        selector = f'openstack_nova_server_status{{tenant_id="{self.project_id}"}}[3h]'
        series = self.series(selector, START + 3 * HOUR)
        self.assertEqual(8 + 3, len(series))
        stopped = [each for each in series if each["metric"]["name"] == "instance-6"]
        self.assertEqual({"PAUSED": "16", "SHUTOFF": "11"}, {x["metric"]["status"]: x["values"][0][1] for x in stopped})
        ends = sorted((each["values"][0][0], each["values"][-1][0]) for each in stopped)
        self.assertLess(ends[0][1], ends[1][0])

    def test_status_label_follows_status(self) -> None:
        query = f'openstack_loadbalancer_loadbalancer_status{{project_id="{self.project_id}"}}[3h]'
        active = sum(len(x["values"]) for x in self.series(query, START + 3 * HOUR) if x["values"][0][1] == "0")
        samples = itertools.chain.from_iterable(
            self.samples("network.services.octavia.loadbalancer", START + hour * HOUR) for hour in range(3)
        )
        self.assertEqual(10 * sum(sample["volume"] == 1 for sample in samples), active)

    def test_instant_query_returns_newest_sample(self) -> None:
        for query, expected in (("up", 4), ("openstack_nova_up", 1), ("openstack_neutron_router", 5 * 8)):
            response = self.get("query", query=query, time=(START + HOUR).timestamp())
            data = response.json()["data"]
            self.assertEqual(("vector", expected), (data["resultType"], len(data["result"])))
            self.assertEqual([int((START + HOUR).timestamp()), "1"], data["result"][0]["value"])

    def test_every_meter_has_a_metric(self) -> None:
        names = self.get("label/__name__/values").json()["data"]
        self.assertEqual(sorted({*(metric.name for metric in METRICS), "up", *openstack_exporter.UP}), names)
        self.assertEqual(set(METERS), {metric.meter for metric in METRICS})

    def test_series_and_labels_are_listed(self) -> None:
        match = {"match[]": f'openstack_cinder_volume_gb{{tenant_id="{self.project_id}"}}'}
        self.assertEqual(8 + 1, len(self.get("series", **match).json()["data"]))
        self.assertEqual([self.project_id], self.get("label/tenant_id/values", **match).json()["data"])
        self.assertIn("volume_type", self.get("labels", **match).json()["data"])
        self.assertEqual(400, self.get("series").status_code)

    def test_targets_and_versions_are_told(self) -> None:
        targets = self.get("targets").json()["data"]["activeTargets"]
        self.assertEqual(
            {"ceilometer", "openstack-exporter", "router", "swift"}, {each["labels"]["job"] for each in targets}
        )
        self.assertEqual("2.42.0", self.get("status/buildinfo").json()["data"]["version"])
        self.assertEqual("400d", self.get("status/runtimeinfo").json()["data"]["storageRetention"])

    def test_unknown_path_is_not_found(self) -> None:
        response = self.get("query_rage")
        self.assertEqual((404, "404 page not found\n"), (response.status_code, response.text))


class SettingsTest(PrometheusTestCase):
    settings = {"prometheus": PrometheusSettings(version=3, scrape_interval=300, retention=1), "resources": 1}  # noqa: RUF012

    def test_interval_is_that_of_scrapes(self) -> None:
        self.assertEqual(12, len(self.series('up{job="router"}[1h]')[0]["values"]))
        self.assertEqual("3.5.0", self.get("status/buildinfo").json()["data"]["version"])


class CounterResetTest(PrometheusTestCase):
    settings = {"resources": 1, "end": START + 48 * HOUR}  # noqa: RUF012

    def test_counter_starts_again_at_midnight(self) -> None:
        midnight = START + 24 * HOUR
        scope = f'direction="in",scope="national",project_id="{self.project_id}"'
        query = f"router_bytes_total{{{scope}}}[61m]"
        values = [float(value) for _, value in self.series(query, midnight + HOUR)[0]["values"]]
        self.assertLess(values[1], values[0])
        expected = [sample["volume"] for sample in self.samples("traffic.inbound.national", midnight)]
        self.assertEqual(expected[0], values[1])
        self.assertEqual(sum(expected), values[-1])


class RetentionTest(PrometheusTestCase):
    settings = {"prometheus": PrometheusSettings(retention=1), "resources": 1, "end": START + 30 * HOUR}  # noqa: RUF012

    def test_old_samples_are_gone(self) -> None:
        self.assertEqual([], self.series("up[1h]", START + 6 * HOUR))
        self.assertEqual(60, len(self.series("up[1h]", START + 7 * HOUR)[0]["values"]))


class AetosTest(PrometheusTestCase):
    def test_catalog_has_the_service(self) -> None:
        url = str(self.session.get_endpoint(service_type="metric-storage"))
        self.assertIn("versions", self.session.get(url, authenticated=False).json())

    def test_answers_are_those_of_prometheus(self) -> None:
        query = f'openstack_neutron_router{{project_id="{self.project_id}"}}[1h]'
        self.assertEqual(self.series(query), self.series(query, service="metric-storage"))
        for path in ("label/job/values", "status/runtimeinfo"):
            expected = self.get(path).json()
            self.assertEqual(expected, self.get(path, service="metric-storage").json())
        self.assertEqual(200, self.get("targets", service="metric-storage", state="active").status_code)

    def test_long_url_loses_query(self) -> None:
        for count, status in ((100, 200), (130, 400)):
            query = f'up{{job=~"{"|".join(["0" * 30] * count)}"}}[1h]'
            response = self.get("query", service="metric-storage", query=query)
            self.assertEqual(status, response.status_code)
        self.assertEqual('Missing argument: "query"', response.json()["error_message"]["faultstring"])

    def test_others_see_their_project(self) -> None:
        metric = "own"
        for project_id in (self.cloud.projects.service_id, "other"):
            self.cloud.add_series({"__name__": metric, "project": project_id}, [(START, 1.0)])
        for role, expected in (("admin", 2), ("service", 2), ("reader", 1)):
            self.assertEqual(expected, len(self._ask(role, f"{metric}[1h]").json()["data"]["result"]), role)
        refused = self._ask("reader", "unknown[1h]")
        self.assertEqual(400, refused.status_code)
        self.assertIn("unexpected identifier", refused.json()["error_message"]["faultstring"])

    def test_others_see_no_status(self) -> None:
        for role, path in (("reader", "status/runtimeinfo"), ("reader", "targets"), ("none", "query?query=up")):
            url = f"{self.cloud.url}/metric-storage/api/v1/{path}"
            response = self._session(role).get(url, raise_exc=False)
            message = response.json()["error_message"]["faultstring"]
            self.assertEqual((403, "RBAC Authorization Failed"), (response.status_code, message))

    def _session(self, role: str) -> Any:
        user = self.cloud.add_user(role)
        return self.open_session(username=user.username)

    def _ask(self, role: str, query: str) -> Any:
        url = f"{self.cloud.url}/metric-storage/api/v1/query"
        return self._session(role).get(url, params={"query": query, "time": START.timestamp()}, raise_exc=False)

    def test_token_is_required(self) -> None:
        url = f"{self.cloud.url}/metric-storage/api/v1/query?query=up"
        self.assertEqual(401, self.session.get(url, authenticated=False, raise_exc=False).status_code)


def _seconds(timestamp: str) -> float:
    return datetime.datetime.fromisoformat(f"{timestamp}+00:00").timestamp()


def _grown(series: list[Any]) -> dict[str, float]:
    """Return by how much the counters of resources grew after the first minute, without a reset."""
    values: dict[str, list[tuple[float, float]]] = {}
    for each in series:
        values.setdefault(each["metric"].get("router_id") or each["metric"]["container"], []).extend(
            (time, float(value)) for time, value in each["values"]
        )
    return {resource: max(found)[1] - min(found)[1] for resource, found in values.items()}
