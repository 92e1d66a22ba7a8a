# SPDX-License-Identifier: Apache-2.0
"""``usage explain``."""

import argparse
import json
from collections.abc import Sequence

from distil.cmd.manage import base
from distil.cmd.manage import collectors
from distil.cmd.manage import period_options
from distil.cmd.manage.explain_report import Choice
from distil.cmd.manage.explain_report import Report
from distil.cmd.manage.explain_report import ReportBuilder
from distil.cmd.manage.explain_text import report_lines
from distil.cmd.manage.window_explainer import WindowExplainer
from distil.conf.collector import CollectorOptions
from distil.db import collected_window
from distil.db import projects
from distil.db.store import Store
from distil.db.stored_windows import StoredWindow
from distil.factory.collector import CollectorFactory
from distil.factory.replay import build_replayer
from distil.factory.session import connect

_EQUAL = "equal to what is stored"


class UsageExplain(base.TextCommand):
    """Explain usage of a project in a window: from which samples, by which rule and by what arithmetic it was computed.

    The samples are asked for again, and rated by the rules and names that were recorded when the window was collected.
    The last line says whether the result is equal to what is stored, or why not; then the exit status is 1.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        period_options.add_window(parser)
        parser.add_argument("--service", metavar="NAME", help="only usage of this service")
        parser.add_argument("--resource", metavar="ID", help="only this resource, by its ID in usage list or telemetry")
        parser.add_argument(
            "--collector", metavar="NAME", help="ask as this one of the collectors; default: the one that collected it"
        )
        parser.add_argument("-f", "--format", choices=("text", "json"), default="text", help="default: text")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        engine = self.app.engine
        (project_id,) = projects.find_ids(engine, [parsed_args.project])
        if parsed_args.start > Store(engine).now():
            self.refuse("--start must not be in the future")
        collected = collected_window.find(engine, project_id, parsed_args.start)
        choice = Choice(service=parsed_args.service, resource=parsed_args.resource)
        options = self._collector(collected, parsed_args.collector)
        report = self._report(options, collected, choice)
        if parsed_args.format == "json":
            self.app.stdout.write(json.dumps(report, indent=2) + "\n")
        else:
            self.print_lines(report_lines(report))
        return 0 if report["reproducible"] else 1

    def _collector(self, collected: StoredWindow, name: str | None) -> CollectorOptions:
        """The collector that was chosen, or that has collected the window, or that is the only one."""
        recorded = collected.receipt and collected.receipt.collector
        known = [options.name for options in collectors.read_valid_collectors(self.app.conf)]
        return collectors.choose_one(self.app.conf, name or (recorded if recorded in known else None))

    def _report(self, options: CollectorOptions, collected: StoredWindow, choice: Choice) -> Report:
        factory = CollectorFactory(self.app.conf, options)
        cloud = connect(self.app.conf)
        replayer = build_replayer(cloud, factory.telemetry.driver(cloud.session), self.app.engine)
        result = WindowExplainer(self.app.engine, factory, replayer, collected).explain()
        report = ReportBuilder(collected, result).build(choice)
        return report | _verdict(report, result.problems)


def _verdict(report: Report, problems: Sequence[str]) -> Report:
    entries = report["entries"]
    verdict = _EQUAL
    if problems:
        verdict = f"not reproducible: {'; '.join(problems)}"
        if entries and all(entry["stored"] == entry["computed"] for entry in entries):
            verdict += "; the entries above are nevertheless equal to what is stored"
    elif report["receipt"] is None:
        verdict += ", by the current rules: the window has no receipt"
    return {"reproducible": not problems, "problems": list(problems), "verdict": verdict}
