# SPDX-License-Identifier: Apache-2.0
"""The retry policy of the steps of a run."""

import functools

import tenacity
from oslo_log import log

from distil import exceptions
from distil.collector.shutdown import Shutdown
from distil.monitoring.metrics import RetryStep
from distil.monitoring.run import RunMonitor

LOG = log.getLogger(__name__)

MAX_ATTEMPTS = 3

# Seconds; the pause doubles with each attempt, from the first to the longest, with jitter.
_FIRST_PAUSE = 0.5
_MAX_PAUSE = 10


class RetryPolicy:
    """Attempts a step a few times while a service fails, until a shutdown is requested. Threads share it."""

    def __init__(self, shutdown: Shutdown, monitor: RunMonitor) -> None:
        self._shutdown = shutdown
        self._monitor = monitor

    def attempts(self, step: RetryStep, subject: str) -> tenacity.Retrying:
        """The attempts of one step: call it with a function, or iterate over it. The last error is raised.

        :param subject: what is attempted, for log lines.
        """
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(exceptions.ServiceError),
            stop=tenacity.stop_after_attempt(MAX_ATTEMPTS) | tenacity.stop_when_event_set(self._shutdown.event),
            wait=tenacity.wait_exponential_jitter(initial=_FIRST_PAUSE, max=_MAX_PAUSE, jitter=_FIRST_PAUSE),
            sleep=tenacity.sleep_using_event(self._shutdown.event),
            before_sleep=functools.partial(self._before_sleep, step, subject),
            reraise=True,
        )

    def _before_sleep(self, step: RetryStep, subject: str, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        LOG.warning("%s: attempt %d failed, retrying: %s", subject, state.attempt_number, error)
        self._monitor.retried(step, f"{subject}: attempt {state.attempt_number} failed: {error}")
