# SPDX-License-Identifier: Apache-2.0
"""The Prometheus driver of a test, and a server with prepared series whose answers a test may spoil."""

import datetime
import pathlib
import re
import tempfile
import unittest
import urllib.parse
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import yaml
from keystoneauth1 import plugin as ks_plugin
from keystoneauth1 import session as ks_session

from distil import model
from distil.conf import prometheus as conf
from distil.telemetry.driver import DriverContext
from distil.telemetry.prometheus.driver import PrometheusDriver
from distil.tests.support.http_server import HTTPServer
from distil.tests.support.http_server import Request
from distil.tests.support.http_server import Response
from distil.tests.support.real.prometheus import Series

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
END = START + datetime.timedelta(hours=1)
MINUTE = datetime.timedelta(minutes=1)
UP = "exporter_up"

_RANGE = re.compile(r"(?P<selector>.*)\[(?P<length>\d+)(?P<unit>ms|s)\]", re.DOTALL)

Point = tuple[float, float]
"""Minutes after START, and a value."""


def entry(meter: str = "volume.size", **keys: Any) -> dict[str, Any]:
    """Return an entry of a meters file, whose metric is named like the meter."""
    known = {"meter": meter, "selector": meter.replace(".", "_"), "up": UP, "unit": "GB"}
    return {**known, "labels": {"project": "project", "resource": "id"}, **keys}


def make_driver(
    entries: Sequence[Mapping[str, Any]],
    session: ks_session.Session | None = None,
    region_name: str | None = None,
    **options: Any,
) -> PrometheusDriver:
    """Return a driver with these entries of a meters file.

    :param session: authenticated at Keystone.
    :param options: values that differ from the defaults.
    :raises ConfigurationError: an option or an entry is wrong.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "meters.yml")
        path.write_text(yaml.safe_dump(list(entries)), encoding="utf-8")
        values = {option.dest: option.default for option in conf.OPTS} | {"meters_file": str(path)} | options
        context = DriverContext(
            session=session or ks_session.Session(),
            region_name=region_name,
            interface="public",
            options=values,
            open_session=_open_session,
        )
        return PrometheusDriver.create(context)


def _open_session(
    auth: ks_plugin.BaseAuthPlugin | None, verify: bool | str = True, cert: str | tuple[str, str] | None = None
) -> ks_session.Session:
    return ks_session.Session(auth=auth, verify=verify, cert=cert, timeout=60)


def series(metric: str, *points: Point, **labels: str) -> Series:
    """Return a series, as the real Prometheus of the tests is fed."""
    samples = [(START + datetime.timedelta(minutes=minute), value) for minute, value in points]
    return Series({"__name__": metric, **labels}, samples)


def every_minute(first: int = 0, last: int = 59, value: float = 1) -> list[Point]:
    return [(minute, value) for minute in range(first, last + 1)]


class SeriesServer(HTTPServer):
    """Answers queries for ranges from its series: those of the selector's metric, whatever its conditions.

    :param spoil: what becomes of an answer, by the metric and the document.
    :param max_samples: a query that loads more is refused.
    """

    def __init__(
        self, *items: Series, spoil: Callable[[str, Any], Any] = lambda _, answer: answer, max_samples: int = 10**6
    ) -> None:
        super().__init__(Response())
        self._items = items
        self._spoil = spoil
        self._max_samples = max_samples
        self.queries: list[str] = []

    def respond(self, request: Request) -> Response:
        if request.target.endswith("/status/runtimeinfo"):
            return Response({"status": "success", "data": {"storageRetention": "15d"}})
        parameters = urllib.parse.parse_qs(request.body)
        (query,), (time,) = parameters["query"], parameters["time"]
        self.queries.append(query)
        match = _RANGE.fullmatch(query)
        if match is None:
            return Response({"status": "success", "data": {"resultType": "vector", "result": []}})
        last = round(float(time) * 1000)
        first = last - int(match["length"]) * (1 if match["unit"] == "ms" else 1000)
        metric = match["selector"].partition("{")[0]
        found = [_range(item, first, last) for item in self._items if item.labels["__name__"] == metric]
        result = [item for item in found if item["values"]]
        if sum(len(item["values"]) for item in result) > self._max_samples:
            error = "query processing would load too many samples into memory in query execution"
            return Response({"status": "error", "errorType": "execution", "error": error}, status=422)
        answer = self._spoil(metric, {"status": "success", "data": {"resultType": "matrix", "result": result}})
        return answer if isinstance(answer, Response) else Response(answer)


def _range(item: Series, first: int, last: int) -> dict[str, Any]:
    """Return an element of an answer, closed at both ends as in Prometheus 2."""
    times = [round(time.timestamp() * 1000) for time, _ in item.samples]
    values = [
        [time / 1000, repr(value)]
        for time, (_, value) in zip(times, item.samples, strict=True)
        if first <= time <= last
    ]
    return {"metric": dict(item.labels), "values": values}


VOLUME = entry()
TRAFFIC = entry("traffic", kind="counter", unit="B")
SCRAPED = series(UP, *every_minute(-20), job="exporter")


class SeriesServerCase(unittest.TestCase):
    def serve(self, *items: Series, up: Series = SCRAPED, **options: Any) -> SeriesServer:
        return self.enterContext(SeriesServer(up, *items, **options))

    def read(
        self,
        server: SeriesServer,
        entries: Sequence[Mapping[str, Any]] = (VOLUME,),
        projects: Sequence[str] = ("p",),
        start: datetime.datetime = START,
        end: datetime.datetime = END,
        **options: Any,
    ) -> list[model.Sample | model.RejectedSample]:
        """:param options: of the driver."""
        driver = make_driver(entries, url=server.url, **options)
        return list(driver.samples(projects, {each["meter"] for each in entries}, start, end))

    def samples(self, *args: Any, **options: Any) -> list[model.Sample]:
        """Read; none may be rejected."""
        found = self.read(*args, **options)
        samples = [sample for sample in found if isinstance(sample, model.Sample)]
        self.assertEqual(samples, found)
        return samples

    def values(self, *args: Any, **options: Any) -> list[tuple[float, Decimal]]:
        """Read; return minutes after START, and volumes."""
        return [((sample.timestamp - START) / MINUTE, sample.volume) for sample in self.samples(*args, **options)]
