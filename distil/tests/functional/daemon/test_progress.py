# SPDX-License-Identifier: Apache-2.0
"""The progress of a run on a terminal."""

import contextlib
import os
import subprocess
import sys
import unittest

_PROGRAM = """
from distil.daemon.progress import progress
with progress() as display:
    display.expect(2)
    display.advance()
    display.advance()
"""


class ProgressTest(unittest.TestCase):
    def test_terminal_shows_progress_bar(self) -> None:
        terminal, end = os.openpty()
        self.addCleanup(os.close, terminal)
        environment = os.environ | {"TERM": "xterm"}
        subprocess.run([sys.executable, "-c", _PROGRAM], check=True, stderr=end, timeout=60, env=environment)
        os.close(end)
        shown = b""
        with contextlib.suppress(OSError):  # Linux raises it at the end of the output
            while part := os.read(terminal, 4096):
                shown += part
        self.assertIn(b"windows", shown)
        self.assertIn(b"2/2", shown)
