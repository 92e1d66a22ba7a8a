# SPDX-License-Identifier: Apache-2.0
"""``mapping diff``."""

import argparse
import datetime
import logging
import random
from collections.abc import Iterator
from collections.abc import Sequence
from typing import TYPE_CHECKING

from distil import exceptions
from distil.cmd.manage import base
from distil.cmd.manage import collectors as collector_options
from distil.cmd.manage import comparison_report
from distil.cmd.manage import period_options
from distil.cmd.manage.progress_line import ProgressLine
from distil.conf.collector import CollectorOptions
from distil.db import projects as stored_projects
from distil.db.billed_windows import BilledProject
from distil.db.billed_windows import BilledWindows
from distil.rating.usage_totals import ServiceTotal

if TYPE_CHECKING:
    from distil.factory.rules_comparison import RulesComparisonFactory

LOG = logging.getLogger(__name__)

_DEFAULT_SAMPLE = 200
_MAX_SEED = 2**31
_COLUMNS = ("service", "unit", "before", "after", "difference", "entries", "change")


class MappingDiff(base.ListCommand):
    """Show what new meter mappings would have changed, before they go live.

    The collected windows of a period are rated by the rules that are configured and by those of the new files, from the
    same samples of the telemetry service and with the same names, so that nothing but the rules makes a difference. The
    rows are those of projects, services and units of which a usage entry differs; there are none if the rules bill
    alike. Nothing is stored.

    Of many projects, a random sample is rated; the same --seed chooses the same projects. Windows whose samples the
    telemetry service no longer has are counted and left out.

    The exit status is 1 if a file is invalid, a window failed, or none could be compared.
    """

    SUBJECT = "differences"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("--new", metavar="FILE", required=True, help="the new meter mappings file")
        parser.add_argument(
            "--new-transformer", metavar="FILE", help="the new transformer file; default: the configured one"
        )
        base.add_project(parser)
        period_options.add_period(parser, "windows that start")
        parser.add_argument(
            "--sample",
            metavar="N",
            type=base.count_argument,
            default=_DEFAULT_SAMPLE,
            help=f"number of projects to rate, chosen at random; 0: all (default: {_DEFAULT_SAMPLE})",
        )
        parser.add_argument(
            "--seed", metavar="N", type=base.count_argument, help="choose the same projects as the run that showed it"
        )
        parser.add_argument("--by-service", action="store_true", help="add up the projects, instead of a row for each")
        parser.add_argument("--collector", metavar="NAME", help="compare with the rules of this enabled collector")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        period = period_options.read_bounded_period(parsed_args, self.refuse)
        options = collector_options.choose_one(self.app.conf, parsed_args.collector)
        # Slow to import, as everything that speaks to the cloud.
        from distil.factory.rules_comparison import RulesComparisonFactory  # noqa: PLC0415

        factory = RulesComparisonFactory(self.app.conf, options, parsed_args.new, parsed_args.new_transformer)
        _require_valid(factory)
        length = datetime.timedelta(hours=options.collect_window)
        windows = BilledWindows(self.app.engine, period.start, period.end, length)
        projects = self._projects(parsed_args, windows, options)
        with ProgressLine("windows", windows.count(projects)) as progress:
            summary = factory.comparer(self.app.engine).summarize(windows.iterate(projects), progress.advance)
        self.failures.add(not comparison_report.log(summary))
        if parsed_args.by_service:
            return _COLUMNS, map(_row, _changed(summary.totals.by_service()))
        names = {project.id: project.name for project in projects}
        changed = _changed(summary.totals.by_project())
        rows = ((total.project_id, names[total.project_id or ""], *_row(total)) for total in changed)
        return ("project_id", "project", *_COLUMNS), rows

    def _projects(
        self, arguments: argparse.Namespace, windows: BilledWindows, options: CollectorOptions
    ) -> Sequence[BilledProject]:
        """The projects to rate. Of several collectors, those of one only: the others' have other rules."""
        ids = stored_projects.find_ids(self.app.engine, arguments.project)
        is_one_of_several = len(collector_options.read_valid_collectors(self.app.conf)) > 1
        projects = windows.projects(ids, options.name if is_one_of_several and not ids else None)
        if not arguments.sample or len(projects) <= arguments.sample:
            return projects
        seed = random.randrange(_MAX_SEED) if arguments.seed is None else arguments.seed  # noqa: S311
        sample = sorted(random.Random(seed).sample(projects, arguments.sample))  # noqa: S311
        share = 100 * len(sample) / len(projects)
        LOG.info("Rating %d of %d projects (%.3g %%), chosen by --seed %d", len(sample), len(projects), share, seed)
        return sample


def _require_valid(factory: "RulesComparisonFactory") -> None:
    """Checks the new files.

    :raises ConfigurationError: with every problem.
    """
    result = factory.validate()
    if result.problems:
        raise exceptions.ConfigurationError(result.problems)
    for warning in result.warnings:
        LOG.warning(warning)


def _changed(totals: Sequence[ServiceTotal]) -> Iterator[ServiceTotal]:
    return (total for total in totals if total.change)


def _row(total: ServiceTotal) -> Sequence[object]:
    volumes = map(base.format_volume, (total.before, total.after, total.difference))
    return (total.service, total.unit, *volumes, total.entries, str(total.change))
