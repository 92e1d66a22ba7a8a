# SPDX-License-Identifier: Apache-2.0
"""``parity``."""

import argparse
import datetime
import logging
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from decimal import Decimal
from decimal import InvalidOperation

import sqlalchemy as sa

from distil import exceptions
from distil.cmd.manage import base
from distil.cmd.manage import collectors as collector_options
from distil.cmd.manage import parity_rows
from distil.cmd.manage import period_options
from distil.cmd.manage.progress_line import ProgressLine
from distil.collector.database_parity import DatabaseParity
from distil.collector.database_parity import WindowPair
from distil.db import projects as stored_projects
from distil.db.billed_windows import BilledWindows
from distil.db.usage_source import UsageSource
from distil.factory import other_database
from distil.rating.parity import ParityTotals
from distil.rating.parity import Precision
from distil.text import pluralize

LOG = logging.getLogger(__name__)


class Parity(base.ListCommand):
    """Compare stored usage with another database, or with what another telemetry driver would have been billed from.

    With a database, such as that of the older Distil Collector, the usage entries of both are compared row for row,
    whatever its revision. A volume that differs by nothing but the other database's decimal places has rounding for its
    cause. With a driver, the windows are rated again from its samples, by the rules and with the names that their
    receipts refer to. Nothing is stored anywhere.

    The rows are sums by service, unit and cause, or with --rows every entry that differs. The exit status is 1 if there
    is a difference beyond rounding and tolerance, if a window failed, or if nothing could be compared.
    """

    SUBJECT = "differences"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        other = parser.add_mutually_exclusive_group(required=True)
        other.add_argument(
            "--database",
            metavar="URL",
            help="that of the other database. The list of processes shows it: if it has a password, rather use"
            " --database-config",
        )
        other.add_argument(
            "--database-config", metavar="FILE", help="a configuration file whose [database] is that of the other one"
        )
        other.add_argument("--driver", metavar="NAME", help="the other telemetry driver, whose options are configured")
        base.add_project(parser)
        period_options.add_period(parser, "windows that start")
        parser.add_argument(
            "--tolerance",
            metavar="VOLUME",
            type=_tolerance,
            default=Decimal(0),
            help="accept differences of a volume up to this one, in the unit of the entry (default: 0)",
        )
        parser.add_argument("--rows", action="store_true", help="show each entry that differs, instead of sums")
        parser.add_argument("--collector", metavar="NAME", help="with --driver: only projects of this collector")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        period = period_options.read_bounded_period(parsed_args, self.refuse)
        pairs = (
            self._with_driver(parsed_args, period.start, period.end)
            if parsed_args.driver
            else self._with_database(parsed_args, period.start, period.end)
        )
        totals = ParityTotals()
        if parsed_args.rows:
            return parity_rows.ROW_COLUMNS, self._reported(
                parity_rows.rows(pairs, totals, parsed_args.time_zone), totals
            )
        return parity_rows.SUM_COLUMNS, self._reported(parity_rows.sums(pairs, totals), totals)

    def _reported(self, rows: Iterable[Sequence[object]], totals: ParityTotals) -> Iterator[Sequence[object]]:
        """The rows; at their end, the totals are told, and the exit status is known."""
        yield from rows
        parity_rows.log_totals(totals)
        self.failures.add(not totals.agrees or not totals.count())
        if not totals.count():
            LOG.error("Neither side has usage in the period")

    def _with_database(
        self, arguments: argparse.Namespace, start: datetime.datetime, end: datetime.datetime
    ) -> Iterator[WindowPair]:
        engine = self.app.engine
        if arguments.database:
            other = other_database.engine_of_url(arguments.database, "--database")
        else:
            other = other_database.engine_of_file(arguments.database_config)
        try:
            here, there = UsageSource(engine, start, end), UsageSource(other, start, end)
            parity = DatabaseParity(here, there, Precision(there.read_scale(), arguments.tolerance))
            ids = [self._find_id(other, text) for text in arguments.project]
            ids = ids or parity.project_ids()
            with ProgressLine("projects", len(ids)) as progress:
                yield from parity.compare(progress.track(ids))
        finally:
            other.dispose()

    def _find_id(self, other: sa.Engine, text: str) -> str:
        try:
            (found,) = stored_projects.find_ids(self.app.engine, [text])
        except exceptions.NotFound:
            (found,) = stored_projects.find_ids(other, [text])
        return found

    def _with_driver(
        self, arguments: argparse.Namespace, start: datetime.datetime, end: datetime.datetime
    ) -> Iterator[WindowPair]:
        engine = self.app.engine
        options = collector_options.choose(self.app.conf, arguments.collector)[0]
        # Slow to import, as everything that speaks to the cloud.
        from distil.factory.driver_parity import DriverParityFactory  # noqa: PLC0415

        windows = BilledWindows(engine, start, end, datetime.timedelta(hours=options.collect_window))
        factory = DriverParityFactory(self.app.conf, engine, windows, arguments.driver)
        for shortcoming in factory.shortcomings():
            LOG.warning("The driver %s: %s", arguments.driver, shortcoming)
        parity = factory.parity(UsageSource(engine, start, end), Precision(None, arguments.tolerance))
        projects = windows.projects(stored_projects.find_ids(engine, arguments.project), arguments.collector)
        with ProgressLine("windows", windows.count(projects)) as progress:
            yield from parity.compare(windows.iterate(projects), progress.advance)
        if parity.unrecorded:
            LOG.warning("%s without a receipt not compared", pluralize(parity.unrecorded, "window"))
        if parity.rejected:
            LOG.warning("%s of the driver rejected", pluralize(parity.rejected, "sample"))
        if parity.failed:
            LOG.error("%s failed, such as %s", pluralize(parity.failed, "window"), parity.failure)
            self.failures.add(True)


def _tolerance(value: str) -> Decimal:
    try:
        tolerance = Decimal(value)
    except InvalidOperation:
        tolerance = Decimal(-1)
    if not (tolerance.is_finite() and tolerance >= 0):
        raise argparse.ArgumentTypeError(f"{value!r} is not a non-negative number")
    return tolerance
