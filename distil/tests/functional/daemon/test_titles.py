# SPDX-License-Identifier: Apache-2.0
"""What ps and top show of the processes."""

import os
import pathlib
import signal

from distil.tests.support.collector_types import CollectorTypesTestCase
from distil.tests.support.processes import wait_for

CHILDREN = {
    "distil-collector: one worker 0",
    "distil-collector: two worker 0",
    "distil-collector: two worker 1",
}


class ProcessTitleTest(CollectorTypesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.groups["collector:two"] |= {"workers": 2, "enable_exporter": False}
        self.configure()
        self.parent = self.site.collector()

    def children(self) -> dict[str, int]:
        """Process id by title."""
        listed = pathlib.Path(f"/proc/{self.parent.pid}/task").glob("*/children")
        return {title(pid): int(pid) for task in listed for pid in task.read_text().split()}

    def test_parent_has_its_command_line(self) -> None:
        wait_for(lambda: title(self.parent.pid).startswith("distil-collector: parent ["))
        self.assertIn(f"--config-file {self.site.config}]", title(self.parent.pid))

    def test_children_name_collector_and_worker(self) -> None:
        wait_for(lambda: self.children().keys() == CHILDREN)

    def test_replacement_has_same_title(self) -> None:
        wait_for(lambda: self.children().keys() == CHILDREN)
        before = self.children()["distil-collector: two worker 1"]
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: self.children().get("distil-collector: two worker 1", before) != before)


def title(pid: int | str) -> str:
    """Empty where the process has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0")
    except (FileNotFoundError, ProcessLookupError):
        return ""
