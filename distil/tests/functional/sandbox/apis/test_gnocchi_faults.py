# SPDX-License-Identifier: Apache-2.0
"""Tests of faults that only Gnocchi has."""

import datetime
from typing import Any

from distil.tests.support.sandbox import HOUR
from distil.tests.support.sandbox import START
from distil.tests.support.sandbox import GnocchiTestCase


class UnprocessedTest(GnocchiTestCase):
    def points(self, start: datetime.datetime = START) -> dict[str, int]:
        """Return the number of buckets of each image in an hour."""
        window = {"start": start.isoformat(), "stop": (start + HOUR).isoformat()}
        response = self.aggregates("image", ("image.size", "mean"), **window)
        self.assertEqual(200, response.status_code)
        return {image: len(found["image.size"]["mean"]) for image, found in response.json()["measures"].items()}

    def status(self) -> Any:
        return self.get("/v1/status").json()["storage"]

    def test_aggregates_are_empty_and_status_counts(self) -> None:
        expected = self.points()
        self.assertEqual({6}, set(expected.values()))
        number = self.cloud.add_fault("metric", "unprocessed")
        self.assertEqual(dict.fromkeys(expected, 0), self.points())
        metrics = self.get("/v1/metric", name="image.size").json()
        self.assertLessEqual({metric["id"] for metric in metrics}, set(self.status()["measures_to_process"]))
        self.assertEqual(len(self.status()["measures_to_process"]), self.status()["summary"]["measures"])
        self.cloud.faults.clear(number)
        self.assertEqual((expected, {}), (self.points(), self.status()["measures_to_process"]))

    def test_older_measures_are_processed(self) -> None:
        self.cloud.add_fault("metric", "unprocessed", seconds=1800)
        self.assertEqual({6}, set(self.points(START + HOUR).values()))
        self.assertEqual({3}, set(self.points(START + 2 * HOUR).values()))
        self.assertGreater(self.status()["summary"]["metrics"], 0)

    def test_other_projects_are_processed(self) -> None:
        self.cloud.add_fault("metric", "unprocessed", project_id=self.project_id)
        mine = {image["id"] for image in self.search("image", self.of_project()).json()}
        self.assertEqual({image: 0 if image in mine else 6 for image in self.points()}, self.points())
        metrics = [image["metrics"]["image.size"] for image in self.search("image").json()]
        waiting = self.status()["measures_to_process"]
        self.assertEqual(8, sum(metric in waiting for metric in metrics))


class UnprivilegedTest(GnocchiTestCase):
    def test_cloud_looks_empty(self) -> None:
        metric = self.get("/v1/metric", name="image.size").json()[0]["id"]
        self.cloud.add_fault("metric", "unprivileged")
        self.assertEqual([], self.search("image").json())
        self.assertEqual([], self.get("/v1/metric", name="image.size").json())
        absent = "Metric ['image.size'] does not exist"
        self.assert_error(self.aggregates("image", ("image.size", "mean")), 404, absent)
        for path in (f"/v1/metric/{metric}", "/v1/status"):
            self.assert_error(self.get(path), 403, "")
        self.assertEqual(200, self.get("/v1/archive_policy").status_code)

    def test_own_project_is_visible(self) -> None:
        own = self.cloud.gnocchi.add_resource("image", self.cloud.projects.service_id, (START, {"name": "own"}))
        self.cloud.add_fault("metric", "unprivileged")
        self.assertEqual([own], [image["id"] for image in self.search("image").json()])


class CappedTest(GnocchiTestCase):
    def test_aggregates_lack_resources(self) -> None:
        self.cloud.add_fault("metric", "capped", path="aggregates", rows=3)
        response = self.aggregates("image", ("image.size", "mean"), search=self.of_project())
        self.assertEqual(3, len(response.json()["measures"]))
        self.assertEqual(8, len(self.search("image", self.of_project()).json()))
