# SPDX-License-Identifier: Apache-2.0
"""How often something is tried before it waits for the next run."""

from collections.abc import Callable

import tenacity

from distil import exceptions
from distil.collector.shutdown import Shutdown

MAX_ATTEMPTS = 3


def retrying(stop: Shutdown, before_sleep: Callable[[tenacity.RetryCallState], None]) -> tenacity.Retrying:
    """A few attempts with growing pauses, as long as a service fails and nobody asks to stop.

    :param tell: is told of each attempt that failed before another one.
    """
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(exceptions.ServiceError),
        stop=tenacity.stop_after_attempt(MAX_ATTEMPTS) | tenacity.stop_when_event_set(stop.event),
        wait=tenacity.wait_exponential_jitter(initial=0.5, max=10, jitter=0.5),
        sleep=tenacity.sleep_using_event(stop.event),
        before_sleep=before_sleep,
        reraise=True,
    )
