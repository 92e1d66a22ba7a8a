# SPDX-License-Identifier: Apache-2.0
"""An outage is what a neutral question meets, too."""

import datetime
import threading
import time
import unittest
from concurrent import futures

from distil import exceptions
from distil.cloud.outage import OutageDetector
from distil.cloud.outage import scheduled_patience


class Service:
    """Answers neutral questions, or fails; counts them and the requests of projects, which all fail."""

    def __init__(self, failures: float) -> None:
        self.failures = failures
        self.questions = self.requests = 0

    def ask(self) -> None:
        self.questions += 1
        if self.questions <= self.failures:
            raise exceptions.TelemetryError(f"no answer to question {self.questions}", request="GET /nothing")

    def request(self) -> None:
        self.requests += 1
        raise exceptions.TelemetryError("HTTP 500")


class OutageDetectorTest(unittest.TestCase):
    def setUp(self) -> None:
        self.stop = threading.Event()

    def detector(self, patience: float = 0, recheck: float = 60) -> OutageDetector:
        return OutageDetector("metering", exceptions.TelemetryError, self.stop, patience, recheck)

    def request(self, detector: OutageDetector, service: Service) -> str:
        """Send a request that fails, and return the name of the error."""
        try:
            with detector.watch(service.ask):
                service.request()
        except exceptions.DistilError as error:
            return type(error).__name__
        raise AssertionError("there was no error")

    def test_waits_for_part_of_interval(self) -> None:
        """What an outage delays waits for the next run."""
        expected = {1: 20, 600: 40, 3600: 240, 86400: 240}
        waited = {seconds: scheduled_patience(datetime.timedelta(seconds=seconds)) for seconds in expected}
        self.assertEqual(expected, waited)

    def test_failure_of_one_project_is_none(self) -> None:
        detector, service = self.detector(), Service(failures=0)
        self.assertEqual(["TelemetryError"] * 3, [self.request(detector, service) for _ in range(3)])
        self.assertEqual((3, 3), (service.requests, service.questions))

    def test_threads_that_fail_share_answer(self) -> None:
        detector, service, barrier = self.detector(), Service(failures=0), threading.Barrier(8)

        def ask() -> None:
            time.sleep(0.1)
            service.ask()

        def request(_: int) -> None:
            with self.assertRaises(exceptions.TelemetryError), detector.watch(ask):
                barrier.wait()
                service.request()

        with futures.ThreadPoolExecutor(8) as threads:
            list(threads.map(request, range(8)))
        self.assertLess(service.questions, 8)

    def test_no_request_is_sent_in_outage(self) -> None:
        detector, service = self.detector(), Service(failures=float("inf"))
        self.assertEqual(["ServiceOutage"] * 3, [self.request(detector, service) for _ in range(3)])
        self.assertEqual((1, 1), (service.requests, service.questions))

    def test_outage_tells_which_requests_preceded_it(self) -> None:
        detector, service = self.detector(), Service(failures=float("inf"))
        for expected in (True, False):
            with self.assertRaises(exceptions.ServiceOutage) as caught, detector.watch(service.ask):
                service.request()
            self.assertEqual(expected, caught.exception.after_request)

    def test_outage_has_reason_of_last_question(self) -> None:
        detector, service = self.detector(patience=0.7), Service(failures=float("inf"))
        self.request(detector, service)
        expected = f"^metering answers no request: no answer to question {service.questions}$"
        with self.assertRaisesRegex(exceptions.ServiceOutage, expected):
            detector.watch(service.ask).__enter__()

    def test_waiting_is_logged_once(self) -> None:
        with self.assertLogs("distil.cloud.outage", "WARNING") as logs:
            self.request(self.detector(patience=0.7), Service(failures=float("inf")))
        self.assertEqual(
            ["metering answers no request: no answer to question 1; waiting up to 0 s for an answer"],
            [record.getMessage() for record in logs.records],
        )

    def test_service_that_restarts_has_no_outage(self) -> None:
        detector, service = self.detector(patience=10), Service(failures=1)
        self.assertEqual("TelemetryError", self.request(detector, service))
        self.assertEqual(2, service.questions)

    def test_outage_is_waited_for_once(self) -> None:
        detector, service = self.detector(patience=0.7, recheck=0), Service(failures=float("inf"))
        self.request(detector, service)
        asked = service.questions
        self.assertEqual("ServiceOutage", self.request(detector, service))
        self.assertEqual(asked + 1, service.questions)

    def test_outage_ends_with_later_answer(self) -> None:
        detector, service = self.detector(recheck=0), Service(failures=1)
        self.assertEqual("ServiceOutage", self.request(detector, service))
        with detector.watch(service.ask):
            pass
        self.assertEqual(2, service.questions)

    def test_fault_of_everything_needs_no_question(self) -> None:
        service = Service(failures=0)
        with (
            self.assertRaisesRegex(exceptions.ServiceOutage, "^metering: no endpoint$"),
            self.detector().watch(service.ask),
        ):
            raise exceptions.TelemetryError("no endpoint", request="GET /project", affects_all=True)
        self.assertEqual(0, service.questions)

    def test_other_errors_pass(self) -> None:
        service = Service(failures=float("inf"))
        for error in (exceptions.StoreError("gone"), exceptions.ShutdownRequested(), KeyError()):
            with self.assertRaises(type(error)), self.detector().watch(service.ask):
                raise error
        self.assertEqual(0, service.questions)

    def test_shutdown_ends_waiting(self) -> None:
        detector, service = self.detector(patience=60), Service(failures=float("inf"))
        threading.Timer(0.2, self.stop.set).start()
        began = time.monotonic()
        self.assertEqual("ServiceOutage", self.request(detector, service))
        self.assertLess(time.monotonic() - began, 10)

    def test_threads_share_questions(self) -> None:
        detector, service = self.detector(patience=1), Service(failures=float("inf"))
        with futures.ThreadPoolExecutor(8) as threads:
            errors = list(threads.map(lambda _: self.request(detector, service), range(100)))
        self.assertEqual({"ServiceOutage"}, set(errors))
        self.assertLessEqual(service.requests, 8)
        self.assertLess(service.questions, 8)
