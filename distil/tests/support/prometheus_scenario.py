# SPDX-License-Identifier: Apache-2.0
"""Tests of the API on which the Prometheus driver relies, against any server of it.

A module that provides a server derives its test cases from these.
"""

import datetime
import math
import unittest
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from typing import ClassVar

import requests
from keystoneauth1 import session as ks_session

from distil.tests.support.real.prometheus import Series

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
END = START + datetime.timedelta(hours=1)
MILLISECOND = datetime.timedelta(milliseconds=1)
MINUTE = datetime.timedelta(minutes=1)


def seconds(time: datetime.datetime) -> str:
    """Return a time as a parameter of the API: seconds since the epoch, to the millisecond."""
    return f"{time.timestamp():.3f}"


def moments(series: Mapping[str, Any]) -> list[datetime.datetime]:
    """Return the times of a series in an answer."""
    return [START + round(time * 1000 - START.timestamp() * 1000) * MILLISECOND for time, _ in series["values"]]


class PrometheusCase(unittest.TestCase):
    """A server of the API, below ``/api/v1`` at the session's endpoint of the service type ``metric-storage``.

    :cvar max_samples: how many samples a query can load.
    """

    session: ClassVar[ks_session.Session]
    max_samples: ClassVar[int]

    @classmethod
    def add_series(cls, *series: Series) -> None:
        raise NotImplementedError

    def add(self, *samples: tuple[datetime.datetime, float], **labels: str) -> str:
        """Store a series of a new metric; return the metric's name."""
        metric = f"m{uuid.uuid4().hex}"
        self.add_series(Series({"__name__": metric, **labels}, samples))
        return metric

    def send(self, method: str, path: str, **request: Any) -> requests.Response:
        endpoint = {"service_type": "metric-storage", "interface": "public"}
        return self.session.request(f"/api/v1/{path}", method, endpoint_filter=endpoint, raise_exc=False, **request)

    def ask(self, query: str, time: datetime.datetime = END - MILLISECOND) -> Any:
        """Return the data of the answer to a query."""
        response = self.send("GET", "query", params={"query": query, "time": seconds(time)})
        self.assertEqual(200, response.status_code, response.text)
        document = response.json()
        self.assertEqual({"status", "data"}, document.keys())
        self.assertEqual("success", document["status"])
        return document["data"]

    def matrix(self, query: str, time: datetime.datetime = END - MILLISECOND) -> list[Any]:
        """Return the series of the answer to a query for a range."""
        data = self.ask(query, time)
        self.assertEqual("matrix", data["resultType"])
        return list(data["result"])


class QueryScenario(PrometheusCase):
    """What Prometheus and Aetos answer to a query of a privileged user."""

    def test_range_before_end_holds_window(self) -> None:
        """Prometheus 2 has the sample before the window, too: its ranges are closed at both ends."""
        times = [START - MILLISECOND, START, START + MILLISECOND, END - MILLISECOND, END]
        metric = self.add(*((time, 1) for time in times))
        (series,) = self.matrix(f"{metric}[3600s]")
        self.assertEqual(times[1:4], [time for time in moments(series) if time >= START])
        self.assertLessEqual({*moments(series)}, {*times[:4]})

    def test_range_at_end_holds_next_window(self) -> None:
        metric = self.add((END - MILLISECOND, 1), (END, 2), (END + MILLISECOND, 3))
        (series,) = self.matrix(f"{metric}[3600s]", END)
        self.assertEqual([END - MILLISECOND, END], moments(series))

    def test_values_are_texts_of_doubles(self) -> None:
        values = (20, 0.1, 1e9, 1e300, 1.5e-7, -3, 2**53 + 2)
        metric = self.add(*((START + number * MILLISECOND, value) for number, value in enumerate(values)))
        (series,) = self.matrix(f"{metric}[3600s]")
        self.assertEqual([Decimal(repr(value)) for value in values], [Decimal(text) for _, text in series["values"]])

    def test_values_need_not_be_finite(self) -> None:
        metric = self.add((START, math.nan), (START + MINUTE, math.inf), (START + 2 * MINUTE, -math.inf))
        (series,) = self.matrix(f"{metric}[3600s]")
        self.assertEqual(["NaN", "+Inf", "-Inf"], [text for _, text in series["values"]])

    def test_counter_is_raw_across_reset(self) -> None:
        values = (5, 9, 2, 2, 4)
        metric = self.add(*((START + number * MINUTE, value) for number, value in enumerate(values)))
        (series,) = self.matrix(f"{metric}[3600s]")
        self.assertEqual(["5", "9", "2", "2", "4"], [text for _, text in series["values"]])
        self.assertEqual([START + number * MINUTE for number in range(5)], moments(series))

    def test_changed_label_starts_series(self) -> None:
        metric = f"m{uuid.uuid4().hex}"
        before = Series({"__name__": metric, "resource": "r", "flavor": "small"}, [(START, 1)])
        after = Series({"__name__": metric, "resource": "r", "flavor": "large"}, [(START + MINUTE, 1)])
        self.add_series(before, after)
        found = self.matrix(f"{metric}[3600s]")
        self.assertCountEqual([before.labels, after.labels], [series["metric"] for series in found])
        self.assertCountEqual([[START], [START + MINUTE]], list(map(moments, found)))

    def test_labels_allow_any_unicode(self) -> None:
        for value in ('a "name"', "größe", "a\\b", "two\nlines", "\N{CLOUD}", "{}", "a'b"):
            with self.subTest(value=value):
                metric = self.add((START, 1), name=value)
                (series,) = self.matrix(f"{metric}[3600s]")
                self.assertEqual({"__name__": metric, "name": value}, series["metric"])

    def test_matchers_select_series(self) -> None:
        metric = f"m{uuid.uuid4().hex}"
        names = ("a", "b", "ab", 'a "name"', "a\\b")
        self.add_series(*(Series({"__name__": metric, "name": name}, [(START, 1)]) for name in names))
        for matcher, expected in (
            ('name="a"', ["a"]),
            ('name=~"a|b"', ["a", "b"]),
            ('name=~"c|d"', []),
            (r'name="a \"name\""', ['a "name"']),
            (r'name="a\\b"', ["a\\b"]),
            ('name!="a"', list(names[1:])),
            ('nothing=""', list(names)),
        ):
            with self.subTest(matcher=matcher):
                found = self.matrix(f"{metric}{{{matcher}}}[3600s]")
                self.assertCountEqual(expected, [series["metric"]["name"] for series in found])

    def test_nothing_found_is_empty_success(self) -> None:
        metric = self.add((START, 1))
        self.assertEqual([], self.matrix(f"m{uuid.uuid4().hex}[3600s]"))
        self.assertEqual([], self.matrix(f"{metric}[3600s]", START - MILLISECOND))
        self.assertEqual([], self.matrix(f"{metric}[3600s]", END + MINUTE))

    def test_up_tells_of_failed_scrapes(self) -> None:
        job = uuid.uuid4().hex
        labels = {"__name__": "up", "job": job, "instance": "compute1:9101"}
        self.add_series(Series(labels, [(START + minute * MINUTE, value) for minute, value in enumerate((1, 1, 0, 1))]))
        (series,) = self.matrix(f'up{{job="{job}"}}[3600s]')
        self.assertEqual(labels, series["metric"])
        self.assertEqual(["1", "1", "0", "1"], [text for _, text in series["values"]])

    def test_too_many_samples_are_refused(self) -> None:
        half, names = self.max_samples // 2 + 1, ("a", "b")
        metric = f"m{uuid.uuid4().hex}"
        samples = [(START + number * MILLISECOND, 1.0) for number in range(half)]
        self.add_series(*(Series({"__name__": metric, "name": name}, samples) for name in names))
        query = {"query": f"{metric}[3600s]", "time": seconds(END - MILLISECOND)}
        response = self.send("GET", "query", params=query)
        self.assertEqual(422, response.status_code)
        self.assertIn("too many samples", response.text)
        for name in names:
            (series,) = self.matrix(f'{metric}{{name="{name}"}}[3600s]')
            self.assertEqual(half, len(series["values"]))

    def test_constant_needs_no_series(self) -> None:
        time = int(START.timestamp())
        expected = {"resultType": "vector", "result": [{"metric": {}, "value": [time, "1"]}]}
        self.assertEqual(expected, self.ask("vector(1)", START))

    def test_bad_query_is_refused(self) -> None:
        for query in ("m[3600s", "m{", "", "m[]"):
            with self.subTest(query=query):
                self.assertEqual(400, self.send("GET", "query", params={"query": query}).status_code)

    def test_retention_is_told(self) -> None:
        response = self.send("GET", "status/runtimeinfo")
        self.assertEqual(200, response.status_code)
        self.assertRegex(response.json()["data"]["storageRetention"], r"^\d+[smhdwy]")


class PrometheusScenario(QueryScenario):
    """What Prometheus itself answers."""

    def test_posted_query_is_answered_alike(self) -> None:
        metric = self.add((START, 1), (START + MILLISECOND, 2))
        query = {"query": f"{metric}[3600s]", "time": seconds(END - MILLISECOND)}
        posted, got = self.send("POST", "query", data=query), self.send("GET", "query", params=query)
        self.assertEqual((200, got.json()), (posted.status_code, posted.json()))

    def test_unknown_parameters_are_ignored(self) -> None:
        metric = self.add((START, 1), (START + MINUTE, 1))
        for name, value in (("dedup", "true"), ("partial_response", "false"), ("limit", "1")):
            with self.subTest(name=name):
                query = {"query": f"{metric}[3600s]", "time": seconds(END - MILLISECOND), name: value}
                (series,) = self.send("POST", "query", data=query).json()["data"]["result"]
                self.assertEqual([START, START + MINUTE], moments(series))

    def test_refusal_names_type_and_cause(self) -> None:
        document = self.send("POST", "query", data={"query": "m[3600s"}).json()
        self.assertEqual(("error", "bad_data"), (document["status"], document["errorType"]))
        self.assertIn("unclosed left bracket", document["error"])


class AetosScenario(QueryScenario):
    """What is particular to Aetos."""

    def assert_refused(self, response: requests.Response, status_code: int, text: str) -> None:
        self.assertEqual(status_code, response.status_code)
        self.assertEqual("application/json", response.headers["Content-Type"])
        self.assertIn(text, response.json()["error_message"]["faultstring"])

    def test_query_cannot_be_posted(self) -> None:
        response = self.send("POST", "query", data={"query": "up"})
        self.assertEqual(405, response.status_code)
        self.assertIn("error_message", response.json())

    def test_only_some_paths_are_served(self) -> None:
        for path in ("query_range", "status/flags", "status/buildinfo", "metadata"):
            with self.subTest(path=path):
                response = self.send("GET", path)
                self.assertEqual(404, response.status_code)
                self.assertIn("error_message", response.json())

    def test_unknown_arguments_are_refused(self) -> None:
        for name in ("dedup", "partial_response", "limit", "start"):
            with self.subTest(name=name):
                response = self.send("GET", "query", params={"query": "up", name: "1"})
                self.assert_refused(response, 400, f'Unknown argument: "{name}"')

    def test_missing_query_is_refused(self) -> None:
        self.assert_refused(self.send("GET", "query"), 400, 'Missing argument: "query"')

    def test_error_of_prometheus_keeps_status(self) -> None:
        response = self.send("GET", "query", params={"query": "m[3600s"})
        self.assert_refused(response, 400, '[400] invalid parameter "query"')
        response = self.send("GET", "query", params={"query": "up", "timeout": "0s"})
        self.assert_refused(response, 503, "[503] query timed out")
