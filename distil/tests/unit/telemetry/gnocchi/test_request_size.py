# SPDX-License-Identifier: Apache-2.0
"""How much is asked for at once."""

import unittest

from distil import exceptions
from distil.telemetry.gnocchi.request_size import RequestSize
from distil.tests.support.gnocchi_model import refusal


def caused(cause: Exception) -> exceptions.TelemetryError:
    error = exceptions.TelemetryError("no")
    error.__cause__ = cause
    return error


TOO_MUCH = (caused(TimeoutError()), caused(exceptions.ResponseTooLarge()), refusal(504), refusal(502), refusal(413))
OTHER = (caused(ConnectionError()), exceptions.TelemetryError("no"), refusal(500), refusal(503))


class RequestSizeTest(unittest.TestCase):
    def test_too_much_is_halved(self) -> None:
        for error in TOO_MUCH:
            size = RequestSize(500)
            size.shrink(400, error)
            self.assertEqual(200, size.value, error)

    def test_other_errors_are_raised(self) -> None:
        for error in OTHER:
            size = RequestSize(500)
            with self.assertRaises(exceptions.TelemetryError) as caught:
                size.shrink(400, error)
            self.assertIs(error, caught.exception)
            self.assertEqual(500, size.value)

    def test_one_is_never_halved(self) -> None:
        self.assertRaises(exceptions.TelemetryError, RequestSize(500).shrink, 1, TOO_MUCH[0])

    def test_service_that_answers_nothing_is_noticed(self) -> None:
        size = RequestSize(500)
        for expected in (250, 125, 62, 31):
            size.shrink(size.value, TOO_MUCH[0])
            self.assertEqual(expected, size.value)
        self.assertRaises(exceptions.TelemetryError, size.shrink, size.value, TOO_MUCH[0])
        size.shrink(size.value, TOO_MUCH[0])

    def test_answers_raise_it_up_to_the_maximum(self) -> None:
        size = RequestSize(500)
        size.shrink(500, TOO_MUCH[0])
        sizes = []
        for _ in range(20):
            size.grow()
            sizes.append(size.value)
        self.assertEqual((275, 500), (sizes[0], sizes[-1]))
