# SPDX-License-Identifier: Apache-2.0
"""What the driver makes of answers that no Gnocchi should give."""

import copy
import datetime
import math
import pathlib
import tempfile
import unittest
import urllib.parse
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from distil import exceptions
from distil import model
from distil.telemetry.driver import MeterPresence
from distil.telemetry.gnocchi.driver import GnocchiDriver
from distil.telemetry.http_client import StatusError
from distil.tests.support import gnocchi_driver
from distil.tests.support.gnocchi_model import HOUR
from distil.tests.support.gnocchi_model import GnocchiModel
from distil.tests.support.gnocchi_model import ModelMetric
from distil.tests.support.gnocchi_model import revisions
from distil.tests.support.http_server import RESET
from distil.tests.support.http_server import HTTPServer
from distil.tests.support.http_server import Request
from distil.tests.support.http_server import Response

METERS = """
- meter: volume.size
  resource_type: volume
  metric: size
  aggregations: [mean]
  metadata: {name: display_name}
"""
METRICS = {name: ModelMetric(values={0: 1.0, 55: 2.0}) for name in "pq"}

Change = Callable[[Any], Any]


class GnocchiServer(HTTPServer):
    """Has a volume of each of two projects, p and q, and answers as Gnocchi does, but to some requests.

    :param changes: what makes the answer, by a part of the request's target.
    """

    def __init__(self, changes: Mapping[str, Change]) -> None:
        super().__init__()
        rows = [
            row
            for name, metric in METRICS.items()
            for row in revisions(name, -60, metrics={"size": metric.id}, project_id=[name], display_name=["é"])
        ]
        self._gnocchi = GnocchiModel(rows, METRICS.values())
        self._changes = changes

    def respond(self, request: Request) -> Response:
        try:
            answer = self._answer(request)
        except StatusError as error:
            return Response(error.document, status=error.status)
        for part, change in self._changes.items():
            if part in request.target:
                answer = change(answer)
        return answer if isinstance(answer, Response) else Response(answer)

    def _answer(self, request: Request) -> Any:
        path, _, text = request.target.partition("?")
        query = urllib.parse.parse_qs(text)
        if path == "/v1/search/resource/generic":
            return [{"id": "x"}] if self._gnocchi.has_resource(request.body, "") else []
        if path.startswith("/v1/search/resource/"):
            return self._gnocchi.search_history("volume", request.body, "", query["attrs"])
        if path == "/v1/aggregates":
            series = [(metric_id, aggregation) for metric_id, aggregation in request.body["operations"][1:]]
            return self._gnocchi.aggregates(series, HOUR, 300, details="details" in query)
        if path == "/v1/resource_type":
            return [{"name": "volume", "attributes": {"display_name": {}}}]
        if path == "/v1/status":
            return {"storage": {"measures_to_process": {}}, "metricd": {"processors": ["a"]}}
        return self._gnocchi.metric(path.rpartition("/")[2])


def at_key(*keys: Any, value: Any) -> Change:
    """Replace what is at the keys of an answer; ``...`` removes it."""

    def change(answer: Any) -> Any:
        changed = node = copy.deepcopy(answer)
        for key in keys[:-1]:
            if not node:
                return changed
            node = node[key]
        if node and value is ...:
            del node[keys[-1]]
        elif node:
            node[keys[-1]] = value
        return changed

    return change


def instead(value: Any) -> Change:
    return lambda _: value


class GnocchiAnswerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.meters_file = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()), "meters.yml")
        self.meters_file.write_text(METERS)

    def driver(self, **changes: Change) -> GnocchiDriver:
        """:param changes: of answers, by a part of the request's target."""
        server = self.enterContext(GnocchiServer(changes))
        return gnocchi_driver.create(server.session(timeout=5), meters_file=str(self.meters_file), processing_timeout=0)

    def samples(self, driver: GnocchiDriver, project: str = "p") -> list[model.Sample | model.RejectedSample]:
        return list(driver.samples([project], ["volume.size"], HOUR.start, HOUR.end))

    def assert_all_fail(self, expected: str, **changes: Change) -> None:
        with self.assertRaisesRegex(exceptions.TelemetryError, expected):
            self.samples(self.driver(**changes))

    def assert_fails_alone(self, expected: str, **changes: Change) -> None:
        """The project p fails, and q does not."""
        driver = self.driver(**changes)
        with self.assertRaisesRegex(exceptions.TelemetryError, expected) as caught:
            self.samples(driver)
        self.assertFalse(caught.exception.affects_all)
        self.assertEqual(2, len(self.samples(driver, "q")))

    def test_unchanged_answers_are_read(self) -> None:
        driver = self.driver()
        for project in "pq":
            self.assertEqual([1, 2], [sample.volume for sample in self.samples(driver, project)])  # type: ignore[union-attr]

    def test_answers_of_another_form_fail(self) -> None:
        values: Sequence[Any] = (None, 5, "x", [], {}, b"", b"<html>", b"[", b"NaN", b"[[" * 50_000)
        for value in values:
            for part in ("resource/volume", "aggregates", "status", "resource/generic"):
                is_list = part.startswith("resource")
                if value in ([], {}) and isinstance(value, list) is is_list:
                    continue
                with self.subTest(value if value is None else str(value)[:9], part=part):
                    self.assert_all_fail("metric (POST|GET) /v1|Gnocchi shows", **{part: instead(value)})

    def test_failures_of_the_service_fail(self) -> None:
        for response in (RESET, *(Response({"description": "no"}, status=status) for status in (401, 403, 500, 503))):
            for part in ("resource/volume", "aggregates", "resource/generic"):
                with self.subTest(response.status, part=part):
                    self.assert_all_fail("metric POST /v1", **{part: instead(response)})
        for status in (401, 500, 503):
            self.assert_all_fail(f"GET /v1/status.*HTTP {status}", status=instead(Response(b"", status=status)))

    def test_half_of_an_answer_fails(self) -> None:
        parts: Sequence[tuple[Any, ...]] = (("measures",), ("references",), ("references", 0, "archive_policy"))
        for keys in parts:
            with self.subTest(keys):
                self.assert_all_fail("aggregates|metric: the description", aggregates=at_key(*keys, value=...))
        parts = (("storage",), ("storage", "measures_to_process"))
        for keys in parts:
            with self.subTest(keys):
                self.assert_all_fail("GET /v1/status: ", status=at_key(*keys, value=...))
        self.assert_all_fail("a value of measures", status=at_key("storage", "measures_to_process", value={"a": "x"}))

    def test_rows_that_cannot_be_paged_fail(self) -> None:
        values: Sequence[Any] = (None, 5, ..., {})
        for key in ("id", "revision_start"):
            for value in values:
                with self.subTest(key, value=value):
                    self.assert_all_fail("a revision without id or start", volume=at_key(0, key, value=value))
        self.assert_all_fail("not sorted", volume=at_key(0, "id", value="z"))
        self.assert_all_fail("not sorted", volume=lambda rows: rows + rows[:1])

    def test_endless_pages_fail(self) -> None:
        rows = revisions("a", -60, metrics={}, display_name=["x"])
        self.assert_all_fail("not sorted", volume=instead(rows))

    def test_row_without_attribute_fails(self) -> None:
        for key in ("display_name", "metrics", "ended_at", "original_resource_id", "project_id"):
            with self.subTest(key):
                change = lambda rows, key=key: [{n: v for n, v in row.items() if n != key} for row in rows]  # noqa: E731
                self.assert_all_fail(f"no attribute {key}", volume=change)

    def test_malformed_resource_fails_its_project(self) -> None:
        for key, value in (
            ("metrics", 5),
            ("metrics", {"size": None}),
            ("ended_at", "soon"),
            ("original_resource_id", 5),
        ):
            with self.subTest(key, value=value):
                self.assert_fails_alone("resource p of type volume: its", volume=at_key(0, key, value=value))

    def test_malformed_series_fails_its_project(self) -> None:
        metric = METRICS["p"].id
        series = ("measures", metric, "mean")
        for keys, value in (
            (("measures", metric), ...),
            (("measures", metric), None),
            (series, ...),
            (series, {}),
            ((*series, 0), ["soon", 300.0, 1]),
            ((*series, 0), ["2026-01-01T00:01:00+00:00", 300.0, 1]),
            ((*series, 0), ["2026-01-01T01:00:00+00:00", 300.0, 1]),
            ((*series, 0), ["2026-01-01T00:55:00+00:00", 300.0, 1]),
            ((*series, 0, 1), 60.0),
            ((*series, 0), None),
        ):
            with self.subTest(keys, value=value):
                self.assert_fails_alone(r"resource p \(volume.size\): mean of", aggregates=at_key(*keys, value=value))

    def test_odd_values_are_rejected_alone(self) -> None:
        values: Sequence[Any] = (math.nan, -math.inf, None, "x", [], {})
        for value in values:
            with self.subTest(value):
                change = at_key("measures", METRICS["p"].id, "mean", 0, 2, value=value)
                first, second = self.samples(self.driver(aggregates=change))
                self.assertEqual(repr(value), repr(first.document["volume"]))
                self.assertEqual(2, second.document["volume"])

    def test_any_text_is_kept(self) -> None:
        for text in ("\0", "\ud800", "🐌" * 1000, "None", ""):
            with self.subTest(text[:5]):
                sample, _ = self.samples(self.driver(volume=at_key(0, "display_name", value=text)))
                self.assertEqual({"name": text}, sample.document["metadata"])

    def test_huge_numbers_are_kept(self) -> None:
        change = at_key("measures", METRICS["p"].id, "mean", 0, 2, value=10**400)
        sample, _ = self.samples(self.driver(aggregates=change))
        self.assertEqual(10**400, sample.document["volume"])

    def test_project_of_another_kind_is_no_project(self) -> None:
        values: Sequence[Any] = (None, "", 5, {})
        for value in values:
            with self.subTest(value), self.assertLogs("distil.telemetry.gnocchi", "WARNING") as logs:
                driver = self.driver(volume=at_key(0, "project_id", value=value))
                self.assertEqual([], self.samples(driver))
                self.assertEqual(2, len(self.samples(driver, "q")))
            self.assertIn("1 resource without a project", logs.output[0])

    def test_empty_cloud_affects_all(self) -> None:
        driver = self.driver(generic=instead([]))
        with self.assertRaisesRegex(exceptions.TelemetryError, "no resource of any project: .* role") as caught:
            self.samples(driver)
        self.assertTrue(caught.exception.affects_all)

    def test_period_of_half_aggregates_fails(self) -> None:
        driver, start = self.driver(), HOUR.start + datetime.timedelta(seconds=1)
        with self.assertRaisesRegex(exceptions.TelemetryError, "does not begin and end with an aggregate of 300 s"):
            list(driver.samples(["p"], ["volume.size"], start, HOUR.end))

    def test_nothing_wanted_asks_nothing(self) -> None:
        driver = self.driver(generic=instead(None))
        self.assertEqual([], list(driver.samples([], ["volume.size"], HOUR.start, HOUR.end)))
        self.assertEqual([], list(driver.samples(["p"], [], HOUR.start, HOUR.end)))

    def test_status_tells_problems(self) -> None:
        driver = self.driver()
        self.assertEqual([], list(driver.problems()))
        self.assertIn("creators is empty", *driver.warnings())
        driver = self.driver(status=instead(Response(b"", status=403)))
        warning, _ = driver.warnings()
        self.assertIn("role admin", warning)
        self.assertEqual([], list(driver.problems()))
        (problem,) = self.driver(status=at_key("metricd", "processors", value=[])).problems()
        self.assertIn("no gnocchi-metricd", problem)

    def test_report_shows_a_sample(self) -> None:
        report = self.driver().report("volume.size", HOUR.start, HOUR.end + datetime.timedelta(seconds=7))
        self.assertEqual((MeterPresence.PRESENT, [], ["gnocchi"]), report[:3])
        assert report.example is not None
        self.assertEqual(("p", {"name": "é"}), (report.example["project_id"], report.example["metadata"]))

    def test_report_tells_what_is_missing(self) -> None:
        for change, expected in (
            (instead([]), "no resource type volume"),
            (at_key(0, "attributes", value={}), "no attribute display_name"),
        ):
            report = self.driver(resource_type=change).report("volume.size", HOUR.start, HOUR.end)
            self.assertEqual((MeterPresence.ABSENT, None), (report.presence, report.example))
            self.assertIn(expected, *report.problems)

    def test_report_tells_bad_policies(self) -> None:
        change = at_key("references", 0, "archive_policy", "definition", value=[])
        report = self.driver(aggregates=change).report("volume.size", HOUR.start, HOUR.end)
        self.assertIn("cannot be collected: resource p", *report.problems)
        self.assertEqual(MeterPresence.PRESENT, report.presence)

    def test_report_of_unknown_meter_is_absent(self) -> None:
        report = self.driver().report("cpu", HOUR.start, HOUR.end)
        self.assertEqual((MeterPresence.ABSENT, [], []), (report.presence, report.problems, report.warnings))
