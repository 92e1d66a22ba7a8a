# SPDX-License-Identifier: Apache-2.0
"""A batch yields for each project and window what a request of its own yields."""

import datetime
import unittest
from collections.abc import Collection
from collections.abc import Iterator
from typing import Any

import hypothesis
from hypothesis import strategies as st
from keystoneauth1 import session as ks_session
from msgspec import structs

from distil import exceptions
from distil import model
from distil.cloud.outage import OutageDetector
from distil.collector import samples
from distil.collector.samples import SampleFetcher
from distil.collector.shutdown import Shutdown
from distil.rating import sample_parser
from distil.telemetry.driver import TelemetryDriver

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
PROJECTS = ("p", "q", "r")


class Archive(TelemetryDriver):
    """Keeps samples in memory."""

    def __init__(self, documents: Collection[dict[str, Any]]) -> None:
        super().__init__(ks_session.Session(), None, "public")
        self._documents = documents
        self.requests: list[tuple[list[str], model.Window]] = []
        self.failures = 0

    def samples(
        self, projects: Collection[str], meters: Collection[str], start: datetime.datetime, end: datetime.datetime
    ) -> Iterator[model.Sample | model.RejectedSample]:
        self.requests.append((list(projects), model.Window(start, end)))
        if self.failures:
            self.failures -= 1
            raise exceptions.TelemetryError("no answer")
        for document in self._documents:
            moment = _moment(document)
            if document["project_id"] in projects and (moment is None or start <= moment < end):
                yield sample_parser.parse_sample(document, document["project_id"], "meter")


def _moment(document: dict[str, Any]) -> datetime.datetime | None:
    try:
        return model.parse_time(document["timestamp"])
    except ValueError:
        return None


def document(project: str, seconds: float, **other: Any) -> dict[str, Any]:
    timestamp = (START + datetime.timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    good = {"project_id": project, "resource_id": "r", "source": "s", "metadata": {}, "volume": 1}
    return good | {"timestamp": timestamp} | other


def windows(count: int, hours: int = 1) -> list[model.Window]:
    length = datetime.timedelta(hours=hours)
    return [model.Window(START + number * length, START + (number + 1) * length) for number in range(count)]


def fetcher_of(archive: Archive) -> SampleFetcher:
    shutdown = Shutdown()
    return SampleFetcher(
        archive, ["meter"], shutdown, OutageDetector("telemetry", exceptions.TelemetryError, shutdown.event)
    )


class SampleFetcherTest(unittest.TestCase):
    @hypothesis.given(
        documents=st.lists(
            st.builds(
                lambda project, seconds, other: document(project, seconds, **other),
                st.sampled_from(PROJECTS),
                # Around the edges of windows, where a sample could fall between them.
                st.builds(
                    lambda hour, offset: hour * 3600 + offset,
                    st.integers(-1, 5),
                    st.sampled_from([-1e-6, 0, 1e-6, 1, 1800, 3599.999999]),
                ),
                st.sampled_from([{}, {"resource_id": 5}, {"source": None}, {"volume": "soon"}]),
            ),
            max_size=40,
        ),
        count=st.integers(1, 4),
        hours=st.integers(1, 3),
    )
    def test_batch_equals_single_requests(self, documents: list[dict[str, Any]], count: int, hours: int) -> None:
        asked = windows(count, hours)
        answer = fetcher_of(Archive(documents)).fetch_batch(PROJECTS, asked)
        alone = fetcher_of(Archive(documents))
        for project in PROJECTS:
            self.assertEqual([alone.fetch(project, window) for window in asked], answer[project])

    def test_invalid_timestamp_discards_batch(self) -> None:
        archive = Archive([document("p", 1), document("p", 1, timestamp="noon")])
        self.assertEqual({}, fetcher_of(archive).fetch_batch(PROJECTS, windows(2)))

    def test_sample_without_project_discards_batch(self) -> None:
        class Odd(Archive):
            def samples(self, *_: Any) -> Iterator[model.Sample | model.RejectedSample]:
                yield model.RejectedSample("", "meter", None, "project_id is missing", document("p", 1))

        self.assertEqual({}, fetcher_of(Odd([])).fetch_batch(PROJECTS, windows(2)))

    def test_failed_request_discards_batch(self) -> None:
        archive = Archive([document("p", 1)])
        archive.failures = 1
        self.assertEqual({}, fetcher_of(archive).fetch_batch(PROJECTS, windows(2)))

    def test_batch_size_adapts_to_refusals(self) -> None:
        class Short(Archive):
            refused = 0

            def samples(self, projects: Collection[str], *period: Any) -> Iterator[model.Sample | model.RejectedSample]:
                if len(projects) > 10:
                    self.refused += 1
                    raise exceptions.TelemetryError("413")
                return super().samples(projects, *period)

        archive = Short([])
        fetcher = fetcher_of(archive)
        names = iter(range(2000))
        left = 2000
        while left > 0:
            together = [str(next(names)) for _ in range(min(fetcher.batch_size, left))]
            left -= len(together)
            if not fetcher.fetch_batch(together, windows(1)):
                for name in together:
                    fetcher.fetch(name, windows(1)[0])
        self.assertLess(archive.refused, 20)

    def test_batch_size_recovers_after_failures(self) -> None:
        archive = Archive([])
        fetcher = fetcher_of(archive)
        archive.failures = 10
        for _ in range(10):
            fetcher.fetch_batch(["p", "q"], windows(2))
        self.assertEqual(1, fetcher.batch_size)
        for _ in range(300):
            if not fetcher.fetch_batch(["p"], windows(fetcher.batch_size)):
                fetcher.fetch("p", windows(1)[0])
        self.assertEqual(60, fetcher.batch_size)

    def test_driver_exception_discards_batch(self) -> None:
        class Defect(Archive):
            def samples(self, *_: Any) -> Iterator[model.Sample | model.RejectedSample]:
                raise KeyError("counter_name")

        self.assertEqual({}, fetcher_of(Defect([])).fetch_batch(["p"], windows(2)))

    def test_invalid_driver_output_discards_batch(self) -> None:
        good = sample_parser.parse_sample(document("p", 1), "p", "meter")
        assert isinstance(good, model.Sample)
        for odd in (
            None,
            structs.replace(good, timestamp=good.timestamp.replace(tzinfo=None)),
            structs.replace(good, timestamp="2026-01-01"),
            structs.replace(good, project_id=["p"]),
            model.RejectedSample("p", "meter", None, "odd", "no mapping"),  # type: ignore[arg-type]
        ):
            with self.subTest(odd=odd):

                class Defect(Archive):
                    def samples(self, *_: Any, odd: Any = odd) -> Iterator[Any]:
                        yield odd

                self.assertEqual({}, fetcher_of(Defect([])).fetch_batch(["p"], windows(2)))

    def test_single_window_is_not_batched(self) -> None:
        archive = Archive([])
        self.assertEqual({}, fetcher_of(archive).fetch_batch(["p"], windows(1)))
        self.assertEqual([], archive.requests)

    def test_batch_size_follows_sample_count(self) -> None:
        fetcher = fetcher_of(Archive([document("p", second) for second in range(200)]))
        self.assertEqual(1, fetcher.batch_size)
        fetcher.fetch("p", windows(1)[0])
        self.assertEqual(10, fetcher.batch_size)

    def test_oversized_batch_aborts_and_shrinks(self) -> None:
        class Endless(Archive):
            given = 0

            def samples(self, *_: Any) -> Iterator[model.Sample | model.RejectedSample]:
                while True:
                    self.given += 1
                    yield model.RejectedSample("p", "meter", None, "", document("p", 1))

        endless = Endless([])
        fetcher = fetcher_of(endless)
        fetcher._samples_per_window = 100
        before = fetcher.batch_size
        self.assertEqual({}, fetcher.fetch_batch(["p"], windows(2)))
        self.assertLess(endless.given, samples._MAX_SAMPLES + 2000)
        self.assertLess(fetcher.batch_size, before)
