# SPDX-License-Identifier: Apache-2.0
"""Log lines contain the text of an exception once, and losing the log file raises no error."""

import io
import json
import logging
import pathlib
import re
import shutil
import sys
import unittest.mock

from distil import exceptions
from distil import model
from distil.conf import log
from distil.monitoring import log_context
from distil.tests.support.configuration import ConfigurationTestCase
from distil.tests.unit.test_escaping import HOSTILE

PROBLEM = "the database did not answer"

_LOGGING_CONFIGURATION = """
[loggers]
keys = root
[handlers]
keys = file
[formatters]
keys = custom
[logger_root]
handlers = file
[handler_file]
class = FileHandler
args = ("{file}",)
formatter = custom
[formatter_custom]
class = {formatter}
format = custom %(message)s
"""


class LoggingCase(ConfigurationTestCase):
    def setUp(self) -> None:
        super().setUp()
        root = logging.getLogger()
        self.addCleanup(setattr, root, "handlers", list(root.handlers))
        self.addCleanup(root.setLevel, root.level)
        self.addCleanup(setattr, sys, "excepthook", sys.excepthook)
        self.file = self.folder / "folder" / "log"
        self.file.parent.mkdir()
        self.stderr = io.StringIO()
        self.enterContext(unittest.mock.patch("sys.stderr", self.stderr))

    def set_up_logging(self, options: str = "") -> logging.Logger:
        log.reload_logging(self.read(f"[DEFAULT]\nlog_file = {self.file}\n{options}"))
        for handler in logging.getLogger().handlers:
            self.addCleanup(handler.close)
        return logging.getLogger("test")

    def lines(self) -> list[str]:
        return self.file.read_text().splitlines()

    def log_error(self, message: str, error: Exception, *arguments: object, trace: bool = False) -> None:
        def fail() -> None:
            raise error

        try:
            fail()
        except Exception:
            logging.getLogger("test").error(message, *arguments, exc_info=trace)


class TextFormatterTest(LoggingCase):
    def logged(self, message: str, error: Exception, *arguments: object, trace: bool = False) -> str:
        self.set_up_logging()
        self.log_error(message, error, *arguments, trace=trace)
        messages = [message for line in self.lines() if (message := line.partition("] ")[2])]
        return messages[-1]

    def test_message_with_exception_text_is_unchanged(self) -> None:
        error = exceptions.StoreError(PROBLEM)
        self.assertEqual(f"Run failed: {PROBLEM}", self.logged("Run failed: %s", error, error))

    def test_message_without_exception_text_gets_it(self) -> None:
        expected = f"Run failed: distil.exceptions.StoreError: {PROBLEM}"
        self.assertEqual(expected, self.logged("Run failed", exceptions.StoreError(PROBLEM)))

    def test_message_with_one_problem_is_unchanged(self) -> None:
        error = exceptions.ConfigurationError(["first", "second"])
        self.assertEqual("Invalid: second", self.logged("Invalid: %s", error, "second"))

    def test_exception_without_text_is_named_once(self) -> None:
        error = RuntimeError()
        self.assertEqual("Failed: RuntimeError()", self.logged("Failed: %s", error, repr(error)))
        self.assertEqual("Failed: RuntimeError", self.logged("Failed", error))

    def test_traceback_is_kept(self) -> None:
        error = RuntimeError(PROBLEM)
        self.assertEqual(f"Run failed: {PROBLEM}", self.logged("Run failed: %s", error, error, trace=True))
        self.assertTrue(any(line.endswith(f"RuntimeError: {PROBLEM}") for line in self.lines()), self.lines())


class JSONFormatterTest(LoggingCase):
    def summary(self, message: str, error: Exception, *arguments: object) -> str:
        self.set_up_logging("use_json = true\n")
        self.log_error(message, error, *arguments)
        line = json.loads(self.lines()[-1])
        self.assertEqual(message % arguments, line["message"])
        summary: str = line["error_summary"]
        return summary

    def test_repeated_summary_is_empty(self) -> None:
        error = exceptions.StoreError(PROBLEM)
        self.assertEqual("", self.summary("Run failed: %s", error, error))

    def test_summary_is_kept_otherwise(self) -> None:
        self.assertEqual(
            f"distil.exceptions.StoreError: {PROBLEM}", self.summary("Run failed", exceptions.StoreError(PROBLEM))
        )


class LoggingConfigurationFileTest(LoggingCase):
    def logged(self, formatter: str) -> str:
        path = self.folder / "logging.conf"
        path.write_text(_LOGGING_CONFIGURATION.format(file=self.file, formatter=formatter))
        self.set_up_logging(f"log_config_append = {path}\n")
        error = exceptions.StoreError(PROBLEM)
        self.log_error("Run failed: %s", error, error)
        return self.lines()[-1]

    def test_text_has_exception_text_once(self) -> None:
        self.assertEqual(1, self.logged("oslo_log.formatters.ContextFormatter").count(PROBLEM))

    def test_json_summary_is_empty(self) -> None:
        self.assertEqual("", json.loads(self.logged("oslo_log.formatters.JSONFormatter"))["error_summary"])

    def test_other_formatters_are_kept(self) -> None:
        self.assertEqual(f"custom Run failed: {PROBLEM}", self.logged("logging.Formatter"))


class LogPathTest(ConfigurationTestCase):
    def log_path(self, text: str) -> str | None:
        path = log.read(self.read(f"[DEFAULT]\n{text}")).path("distil-collector")
        return None if path is None else str(path)

    def test_combines_directory_and_file(self) -> None:
        self.assertIsNone(self.log_path(""))
        self.assertEqual("a.log", self.log_path("log_file = a.log\n"))
        self.assertEqual("/var/log/a.log", self.log_path("log_dir = /var/log\nlog_file = a.log\n"))

    def test_directory_alone_implies_program_name(self) -> None:
        self.assertEqual("/var/log/distil-collector.log", self.log_path("log_dir = /var/log\n"))

    def test_own_logging_configuration_has_unknown_path(self) -> None:
        self.assertIsNone(self.log_path("log_file = a.log\nlog_config_append = logging.ini\n"))


class ReloadLoggingTest(LoggingCase):
    def test_lost_directory_does_not_raise(self) -> None:
        logger = self.set_up_logging()
        shutil.rmtree(self.file.parent)
        logger.error("hello")
        self.assertIn("No such file or directory", self.stderr.getvalue())
        self.assertIn("hello", self.stderr.getvalue())
        self.file.parent.mkdir()
        logger.error("again")
        self.assertIn("again", self.lines()[0])

    def test_unwritable_file_keeps_previous_configuration(self) -> None:
        logger = self.set_up_logging()
        previous, self.file = self.file, pathlib.Path("/nowhere/log")
        with self.assertRaisesRegex(exceptions.ConfigurationError, "/nowhere/log cannot be written"):
            self.set_up_logging()
        logger.error("hello")
        self.assertIn("hello", previous.read_text())

    def test_replaced_files_are_closed(self) -> None:
        self.set_up_logging()
        descriptors = len(list(pathlib.Path("/proc/self/fd").iterdir()))
        for _ in range(3):
            self.set_up_logging()
        self.assertEqual(descriptors, len(list(pathlib.Path("/proc/self/fd").iterdir())))


class ForeignTextTest(LoggingCase):
    """Text that was chosen by the owners of projects."""

    def test_record_is_one_line(self) -> None:
        logger = self.set_up_logging()
        for text in HOSTILE:
            project = model.Project(f"p{text}", f"name{text}2026-01-01 00:00:00.000 1 INFO forged", "d")
            log_context.start_run_context("default")
            with log_context.project_context(project):
                logger.warning("Project %s: %s", project.name, {"a": text})
        lines = self.file.read_text().split("\n")
        self.assertEqual(len(HOSTILE) + 1, len(lines))
        for line, escaped in zip(lines, HOSTILE.values(), strict=False):
            self.assertIn(f"Project name{escaped}2026-01-01", line)
            self.assertIn(f" default p{escaped}] ", line)

    def test_traceback_lines_have_a_prefix(self) -> None:
        self.set_up_logging()
        self.log_error("Failed", RuntimeError("a\n2026-01-01 00:00:00.000 1 INFO forged\x1b[2J\u2028"), trace=True)
        lines = self.file.read_text().split("\n")
        self.assertTrue(any(line.endswith(r"INFO forged\x1b[2J\u2028") for line in lines), lines)
        self.assertEqual([], [line for line in lines[:-1] if not re.search(r"^\S+ \S+ \d+ ERROR ", line)])

    def test_json_record_is_one_line(self) -> None:
        logger = self.set_up_logging("use_json = true\n")
        text = "".join(HOSTILE)
        logger.warning("%s", text)
        (line,) = self.file.read_text().splitlines()
        self.assertTrue(line.isascii())
        self.assertEqual(text, json.loads(line)["message"])

    def test_other_handlers_get_the_same_record(self) -> None:
        logger = self.set_up_logging()
        with self.assertLogs(logger) as logs:
            logger.warning("%s", "a\nb")
        self.assertEqual("a\nb", logs.records[0].getMessage())

    def test_colors_are_kept(self) -> None:
        shape = "%(color)s%(message)s"
        logger = self.set_up_logging(
            f"logging_default_format_string = {shape}\nlogging_context_format_string = {shape}\nlog_color = true\n"
            "use_stderr = true\n"
        )
        logger.warning("%s", "a\x1b[2J")
        self.assertEqual("\x1b[01;33ma\\x1b[2J\x1b[00m\n", self.stderr.getvalue())


class LostLinesTest(LoggingCase):
    def setUp(self) -> None:
        super().setUp()
        self.file = pathlib.Path("/dev/full")
        self.full = self.set_up_logging()

    def test_full_disk_is_told_once(self) -> None:
        for number in range(100):
            self.full.warning("line %d", number)
        self.assertEqual(log.LogErrors(100, "No space left on device"), log.log_errors())
        self.assertRegex(
            self.stderr.getvalue(),
            r"^The log /dev/full cannot be written: No space left on device\. Lost: line 0\n$",
        )

    def test_next_written_line_ends_the_problem(self) -> None:
        self.full.warning("lost")
        (handler,) = logging.getLogger().handlers
        self.file = self.folder / "log"
        handler._target.stream = self.file.open("w")  # type: ignore[attr-defined]
        self.full.warning("written")
        self.assertEqual(log.LogErrors(1, None), log.log_errors())

    def test_closed_standard_error_is_no_problem(self) -> None:
        self.stderr.close()
        self.full.warning("lost")
        self.assertEqual(1, log.log_errors().number)

    def test_reload_survives_full_disk(self) -> None:
        self.full.warning("lost")
        self.file = self.folder / "log"
        self.set_up_logging().warning("written")
        self.assertIn("written", self.file.read_text())
        self.assertEqual(log.LogErrors(0, None), log.log_errors())

    def test_unformattable_record_is_counted(self) -> None:
        self.file = self.folder / "log"
        self.set_up_logging().warning("%d of them", "a\nb")
        self.assertEqual(1, log.log_errors().number)
        self.assertRegex(self.stderr.getvalue(), r"cannot be written: TypeError: .*\. Lost: .*\n$")

    def test_argument_without_text_is_counted_once(self) -> None:
        class Unprintable:
            def __str__(self) -> str:
                raise RuntimeError("no text")

        self.file = self.folder / "log"
        self.set_up_logging().warning("Told: %s", Unprintable())
        self.assertEqual(1, log.log_errors().number)
