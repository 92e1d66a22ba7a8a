# SPDX-License-Identifier: Apache-2.0
"""What log lines are about."""

import datetime
import io
import json
import logging
import re
import threading
import unittest

from oslo_config import cfg
from oslo_context import fixture
from oslo_log import formatters

from distil import model
from distil.collector.shutdown import Shutdown
from distil.collector.workers import run_in_threads
from distil.conf import registry
from distil.monitoring.log_context import project_context
from distil.monitoring.log_context import start_run_context

START = datetime.datetime(2026, 3, 1, 10, tzinfo=datetime.UTC)
WINDOW = model.Window(START, START + datetime.timedelta(hours=1))
PROJECT = model.Project("p1", "project one", "default")
OTHER = model.Project("p2", "project two", "default")


class LogContextTest(unittest.TestCase):
    def setUp(self) -> None:
        forget = fixture.ClearRequestContext()
        forget.setUp()
        self.addCleanup(forget.cleanUp)
        self.logger = logging.getLogger("test")
        self.logger.setLevel(logging.INFO)
        self.text = self.listen(formatters.ContextFormatter(config=_configuration()))
        self.json = self.listen(formatters.JSONFormatter())

    def listen(self, formatter: logging.Formatter) -> io.StringIO:
        output = io.StringIO()
        handler = logging.StreamHandler(output)
        handler.setFormatter(formatter)
        self.logger.addHandler(handler)
        self.addCleanup(self.logger.removeHandler, handler)
        return output

    def about(self) -> list[str]:
        """What the lines are about, by the text format."""
        return re.findall(r" test \[(.*?)\] ", self.text.getvalue())

    def test_run_line_names_run_and_collector(self) -> None:
        run_id = start_run_context("customers")
        self.logger.info("hello")
        self.assertRegex(run_id, r"^req-[0-9a-f-]{36}$")
        self.assertEqual([f"{run_id} customers"], self.about())
        context = json.loads(self.json.getvalue())["context"]
        self.assertEqual(
            (run_id, "customers", None), (context["request_id"], context["collector"], context["project_id"])
        )

    def test_run_id_can_be_given(self) -> None:
        self.assertEqual("req-1", start_run_context("customers", "req-1"))
        self.logger.info("hello")
        self.assertEqual(["req-1 customers"], self.about())

    def test_project_line_names_project_and_window(self) -> None:
        start_run_context("customers", "req-1")
        with project_context(PROJECT, WINDOW):
            self.logger.info("hello")
        self.logger.info("hello")
        window = "2026-03-01T10:00:00Z/2026-03-01T11:00:00Z"
        self.assertEqual([f"req-1 customers p1 {window}", "req-1 customers"], self.about())
        context = json.loads(self.json.getvalue().splitlines()[0])["context"]
        found = [context[name] for name in ("request_id", "collector", "project_id", "project_name", "window")]
        self.assertEqual(["req-1", "customers", "p1", "project one", window], found)

    def test_failure_clears_project_context(self) -> None:
        start_run_context("customers", "req-1")
        with self.assertRaises(ZeroDivisionError), project_context(PROJECT):
            raise ZeroDivisionError
        self.logger.info("hello")
        self.assertEqual(["req-1 customers"], self.about())

    def test_context_is_empty_outside_run(self) -> None:
        with project_context(PROJECT):
            self.logger.info("hello")
        self.assertEqual(["-"], self.about())

    def test_threads_keep_separate_project_contexts(self) -> None:
        start_run_context("customers", "req-1")
        together = threading.Barrier(2, timeout=10)

        def do(project: model.Project) -> None:
            with project_context(project):
                together.wait()
                self.logger.info("hello")
                together.wait()

        run_in_threads([PROJECT, OTHER], do, 2, Shutdown())
        self.assertEqual(["req-1 customers p1", "req-1 customers p2"], sorted(self.about()))


def _configuration() -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    registry.register_opts(conf)
    conf([])
    return conf
