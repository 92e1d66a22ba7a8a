# SPDX-License-Identifier: Apache-2.0
"""The line that shows how far a command is."""

import contextlib
import io
import logging
import os
import unittest

from distil.cmd.manage import progress_line
from distil.cmd.manage.progress_line import ProgressLine


class ProgressLineTest(unittest.TestCase):
    def setUp(self) -> None:
        level = progress_line.LOG.level
        self.addCleanup(progress_line.LOG.setLevel, level)
        progress_line.LOG.setLevel(logging.INFO)

    def test_terminal_shows_percentage_and_is_cleared(self) -> None:
        shown = self.shown_on_terminal()
        self.assertTrue(shown.startswith("\r\x1b[K 25 % of 4 windows"), repr(shown))
        self.assertTrue(shown.endswith("\r\x1b[K"), repr(shown))

    def test_quiet_shows_nothing(self) -> None:
        progress_line.LOG.setLevel(logging.WARNING)
        self.assertEqual("", self.shown_on_terminal())

    def test_file_shows_nothing(self) -> None:
        stderr = io.StringIO()
        with contextlib.redirect_stderr(stderr), ProgressLine("windows", 4) as progress:
            self.assertEqual([1, 2], list(progress.track([1, 2])))
        self.assertEqual("", stderr.getvalue())

    def shown_on_terminal(self) -> str:
        """What a terminal gets while one of four windows is done."""
        reader, writer = os.openpty()
        self.addCleanup(os.close, reader)
        with open(writer, "w", encoding="utf-8") as terminal:
            with contextlib.redirect_stderr(terminal), ProgressLine("windows", 4) as progress:
                progress.advance()
            terminal.write("end")
            terminal.flush()
            return os.read(reader, 1000).decode().removesuffix("end")
