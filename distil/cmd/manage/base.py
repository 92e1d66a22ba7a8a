# SPDX-License-Identifier: Apache-2.0
"""Base classes, arguments and formats of the commands."""

import argparse
import datetime
from collections.abc import Iterable
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from cliff import columns
from cliff import command
from cliff import lister
from cliff import show

from distil import model
from distil import text
from distil.cmd.manage.app import Manage


class FailureCounter:
    """Counts failures among results while they are shown, however many there are, for the exit status."""

    def __init__(self) -> None:
        self._number = 0

    def add(self, has_failed: bool) -> None:
        """Count a result."""
        self._number += has_failed

    @property
    def exit_status(self) -> int:
        """1 if a result has failed."""
        return 1 if self._number else 0


class _Command(command.Command):
    """A command that may show results of which some are failures.

    :ivar failures: of this run; complete once all rows have been shown.
    """

    app: Manage
    failures: FailureCounter

    def run(self, parsed_args: argparse.Namespace) -> int:
        self.failures = FailureCounter()
        return super().run(parsed_args) or self.failures.exit_status


class ListCommand(_Command, lister.Lister):
    """Shows rows. ``take_action`` returns the column names and the rows, which may come from a generator."""

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Iterable[Sequence[Any]]
    ) -> int:
        rows = (_printable(row, parsed_args.formatter) for row in data)
        return super().produce_output(parsed_args, column_names, rows)


class ShowCommand(_Command, show.ShowOne):
    """Shows one object. ``take_action`` returns the names of its fields and their values."""

    def produce_output(self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Sequence[Any]) -> int:
        return super().produce_output(parsed_args, column_names, _printable(data, parsed_args.formatter))


def _printable(values: Sequence[Any], formatter: str) -> Sequence[Any]:
    """The values with control characters escaped in text formats: some are chosen by the owners of projects."""
    if formatter not in ("table", "value"):
        return values
    return [text.escape_control(value) if isinstance(value, str) else value for value in values]


def time_argument(value: str) -> datetime.datetime:
    """A time from the command line: ISO 8601, UTC by default."""
    try:
        return model.parse_time(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{value!r} is not a valid ISO 8601 time: {error}") from error


def count_argument(value: str) -> int:
    """A non-negative whole number from the command line."""
    if not value.isdecimal():
        raise argparse.ArgumentTypeError(f"{value!r} is not a non-negative whole number")
    return int(value)


def add_project(parser: Any, **details: Any) -> None:
    """The option ``--project``, whose values :func:`distil.db.projects.find_ids` resolves."""
    parser.add_argument("--project", metavar="PROJECT", help="only this project, by ID or name", **details)


def add_period(parser: Any, what: str) -> None:
    """The options ``--start`` and ``--end``.

    :param what: must be in the period, for the help.
    """
    for option, when in (("start", "at or after this time"), ("end", "before this time")):
        help_text = f"only {what} {when} (ISO 8601, UTC by default)"
        parser.add_argument(f"--{option}", metavar="TIME", type=time_argument, help=help_text)


def add_limit(parser: Any) -> None:
    """The option ``--limit``."""
    parser.add_argument("--limit", metavar="N", type=count_argument, help="maximum number of rows")


def format_time(moment: datetime.datetime | None) -> str | None:
    """ISO 8601 in UTC."""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


class VolumeColumn(columns.FormattableColumn[Any]):
    """Sorts as a number, and is shown as exact text without trailing zeros.

    Text in JSON as well: many readers of JSON round numbers.
    """

    def human_readable(self) -> str:
        digits = f"{self._value:f}"
        return digits.rstrip("0").rstrip(".") if "." in digits else digits

    def machine_readable(self) -> str:
        return self.human_readable()


def format_volume(volume: Decimal | None) -> VolumeColumn | None:
    return None if volume is None else VolumeColumn(volume)
