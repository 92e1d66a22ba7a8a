# SPDX-License-Identifier: Apache-2.0
"""How much to ask for at once."""

from http import HTTPStatus

from distil import connection_errors
from distil import exceptions
from distil.telemetry.http_client import StatusError

# A proxy answers 502 if the server ends a process that takes too long, as uWSGI does.
_TOO_MUCH = frozenset((HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT))

# Each lasts as long as the time-out if that is the cause. A service that answers nothing is to be noticed, too.
_MAX_HALVINGS = 4

_GROWTH = 1.1


class RequestSize:
    """A number of rows or series: halved if an answer takes too long or is too large, and slowly raised again.

    Threads share it.

    :param maximum: with which it begins.
    """

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._size = float(maximum)
        self._halvings = 0

    @property
    def value(self) -> int:
        return int(self._size)

    def grow(self) -> None:
        """Have more be asked for, after an answer."""
        self._size = min(self._maximum, self._size * _GROWTH)
        self._halvings = 0

    def shrink(self, asked: int, error: exceptions.TelemetryError) -> None:
        """Have less be asked for, after an error.

        :param asked: for how much.
        :raises TelemetryError: the error, unless less might help.
        """
        if not _is_too_much(error) or asked <= 1 or self._halvings >= _MAX_HALVINGS:
            self._halvings = 0
            raise error
        self._size = min(self._size, max(1.0, asked / 2))
        self._halvings += 1


def _is_too_much(error: exceptions.TelemetryError) -> bool:
    if isinstance(error, StatusError):
        return error.status in _TOO_MUCH
    return error.is_too_large or connection_errors.connection_problem(error) == connection_errors.TIMED_OUT
