# SPDX-License-Identifier: Apache-2.0
"""The logging context of a thread: the run, project and window that its log lines carry.

oslo.log reads it: its text format shows ``subject``, its JSON format has each value under ``context``.
"""

import contextlib
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

from oslo_context import context

from distil import model

_TIME = "%Y-%m-%dT%H:%M:%SZ"


class RunContext(context.RequestContext):
    """The context of a run, or of a project or window within a run.

    :param run_id: None creates one, ``req-<uuid>``.
    """

    def __init__(
        self,
        collector: str,
        run_id: str | None = None,
        project: model.Project | None = None,
        window: model.Window | None = None,
    ) -> None:
        super().__init__(
            request_id=run_id,
            project_id=project.id if project else None,
            project_name=project.name if project else None,
        )
        self.collector = collector
        self.window = window

    def get_logging_values(self) -> dict[str, Any]:
        window = f"{self.window.start:{_TIME}}/{self.window.end:{_TIME}}" if self.window else None
        subject = " ".join(filter(None, (self.collector, self.project_id, window)))
        return super().get_logging_values() | {"collector": self.collector, "window": window, "subject": subject}


def start_run_context(collector: str, run_id: str | None = None) -> str:
    """Set this thread's context to a run of a collector, until the next call.

    :returns: the run id.
    """
    return RunContext(collector, run_id).request_id


@contextlib.contextmanager
def project_context(project: model.Project, window: model.Window | None = None) -> Iterator[None]:
    """Narrow this thread's context to a project, or to a window of it, within its run."""
    run = context.get_current()
    if not isinstance(run, RunContext):
        yield
        return
    RunContext(run.collector, run.request_id, project, window)
    try:
        yield
    finally:
        run.update_store()


def with_current_context(function: Callable[[], None]) -> Callable[[], None]:
    """Wrap a function for another thread so that it runs in this thread's context."""
    current = context.get_current()

    def run() -> None:
        if current is not None:
            current.update_store()
        function()

    return run
