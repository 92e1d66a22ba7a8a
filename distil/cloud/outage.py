# SPDX-License-Identifier: Apache-2.0
"""Tells the outage of a service, which every project meets, from a failure that concerns one project."""

import contextlib
import datetime
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator

import tenacity
from oslo_log import log

from distil import exceptions

LOG = log.getLogger(__name__)

# Seconds for which an answer is waited for before an outage is declared: a service that restarts is back by then.
PATIENCE_SECONDS = 20.0

# If the next run comes by itself, it comes late for all projects that the outage keeps from being attempted. So a part
# of the interval is waited, while the leases of the projects that wait do not expire.
_INTERVAL_FRACTION = 1 / 15
_MAX_PATIENCE_SECONDS = 240.0

# Seconds until a service that has an outage is asked again, once.
_RECHECK_SECONDS = 10.0

# Seconds between two questions.
_FIRST_PAUSE = 0.5
_MAX_PAUSE = 5


def scheduled_patience(interval: datetime.timedelta) -> float:
    """Seconds for which an answer is waited for in a run that is repeated at an interval."""
    return min(max(PATIENCE_SECONDS, interval.total_seconds() * _INTERVAL_FRACTION), _MAX_PATIENCE_SECONDS)


class OutageDetector:
    """Asks a service a neutral question whenever a request fails. Threads share it.

    Requests of one project prove nothing about the others. If the service does not answer a question that concerns no
    project either, there is an outage, and requests are refused without being sent, until the service answers the
    neutral question again.

    :param service: its name, for messages.
    :param error_class: the errors after which the question is asked.
    :param stop: ends the waiting for an answer.
    :param patience: seconds of waiting.
    :param recheck: seconds until a service that has an outage is asked again.
    """

    def __init__(
        self,
        service: str,
        error_class: type[exceptions.ServiceError],
        stop: threading.Event,
        patience: float = PATIENCE_SECONDS,
        recheck: float = _RECHECK_SECONDS,
    ) -> None:
        self._service = service
        self._error_class = error_class
        self._stop = stop
        self._patience = patience
        self._recheck = recheck
        self._lock = threading.Lock()
        self._outage: str | None = None
        # Monotonic times: of the last answer to the neutral question, and from when on it is asked again.
        self._answered = self._recheck_at = float("-inf")

    @contextlib.contextmanager
    def watch(self, ask: Callable[[], object]) -> Iterator[None]:
        """Watch a request in the ``with`` block. Its errors pass through unless there is an outage.

        :param ask: asks the neutral question.
        :raises ServiceOutage: there is an outage.
        """
        if self._outage is not None:
            self._require_answer(ask, time.monotonic())
        failure = None
        try:
            yield
        except self._error_class as error:
            failure = error
        if failure is None:
            return
        if failure.affects_all:
            raise exceptions.ServiceOutage(f"{self._service}: {failure.reason}") from failure
        self._require_answer(ask, time.monotonic(), after_request=True)
        raise failure

    def _require_answer(self, ask: Callable[[], object], since: float, *, after_request: bool = False) -> None:
        """Ask the neutral question, unless it has been answered meanwhile.

        :param since: monotonic time; an answer after it suffices.
        :param after_request: whether the request was sent, for the error.
        :raises ServiceOutage: the service does not answer.
        """
        with self._lock:
            if (self._outage is None or time.monotonic() >= self._recheck_at) and self._answered < since:
                self._outage = self._ask(ask, self._patience if self._outage is None else 0)
            if self._outage is not None:
                raise exceptions.ServiceOutage(self._outage, after_request=after_request)

    def _ask(self, ask: Callable[[], object], patience: float) -> str | None:
        """Ask until there is an answer, or ``patience`` (in seconds) is over.

        :returns: why there is no answer; None if there is one.
        """
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(exceptions.ServiceError),
            stop=tenacity.stop_after_delay(patience) | tenacity.stop_when_event_set(self._stop),
            wait=tenacity.wait_exponential_jitter(initial=_FIRST_PAUSE, max=_MAX_PAUSE, jitter=_FIRST_PAUSE),
            sleep=tenacity.sleep_using_event(self._stop),
            before_sleep=self._before_sleep,
            reraise=True,
        )
        try:
            attempts(self._ask_once, ask)
        except exceptions.ServiceError as error:
            self._recheck_at = time.monotonic() + self._recheck
            return str(error)
        self._answered = time.monotonic()
        return None

    def _ask_once(self, ask: Callable[[], object]) -> None:
        """Ask the neutral question.

        :raises ServiceError: the service does not answer. The reason leaves out the request, which names a project
            that does not exist.
        """
        try:
            ask()
        except exceptions.ServiceError as error:
            LOG.debug("A question that concerns no project failed: %s", error)
            raise exceptions.ServiceError(f"{self._service} answers no request: {error.reason}") from error

    def _before_sleep(self, state: tenacity.RetryCallState) -> None:
        if state.attempt_number > 1 or state.outcome is None:
            return
        try:
            state.outcome.result()
        except exceptions.ServiceError as error:
            # In this block, because oslo.log adds the error that is being handled: otherwise that of the request.
            LOG.warning("%s; waiting up to %d s for an answer", error, self._patience)
