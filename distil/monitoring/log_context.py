# SPDX-License-Identifier: Apache-2.0
"""What a thread's log lines say of the run, and of the project and window, that they are about.

oslo.log takes it from here: its text format shows ``subject``, its JSON has every value under ``context``.
"""

import contextlib
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

from oslo_context import context

from distil import model

_TIME = "%Y-%m-%dT%H:%M:%SZ"


class RunContext(context.RequestContext):
    """A run, or a project's turn in it, as the context of what is logged meanwhile.

    :param run_id: None makes a new one, ``req-<uuid>``.
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
    """Have what this thread logs from now on be about a run of that collector, until the next one begins.

    :returns: the run's id.
    """
    return RunContext(collector, run_id).request_id


@contextlib.contextmanager
def project_context(project: model.Project, window: model.Window | None = None) -> Iterator[None]:
    """Have what this thread logs meanwhile be about a project, or a window of it, in the run that it is about."""
    run = context.get_current()
    if not isinstance(run, RunContext):
        yield
        return
    RunContext(run.collector, run.request_id, project, window)
    try:
        yield
    finally:
        run.update_store()


def with_current_context(do: Callable[[], None]) -> Callable[[], None]:
    """For another thread: do something, and log about what this thread's lines are about."""
    outer = context.get_current()

    def carrying() -> None:
        if outer is not None:
            outer.update_store()
        do()

    return carrying
