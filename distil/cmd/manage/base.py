# SPDX-License-Identifier: Apache-2.0
"""What commands are made of."""

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


class _Command(command.Command):
    """A command that may have something to show and yet not have succeeded.

    :ivar status: the exit status; :meth:`take_action`, or the rows while they are shown, may set it.
    """

    app: Manage
    status = 0

    def run(self, parsed_args: argparse.Namespace) -> int:
        return super().run(parsed_args) or self.status


class ListCommand(_Command, lister.Lister):
    """Shows rows. ``take_action`` gives the names of the columns and the rows, as they are read."""

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Iterable[Sequence[Any]]
    ) -> int:
        rows = (_visible(row, parsed_args.formatter) for row in data)
        return super().produce_output(parsed_args, column_names, rows)


class ShowCommand(_Command, show.ShowOne):
    """Shows one thing. ``take_action`` gives the names of its fields and their values."""

    def produce_output(self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Sequence[Any]) -> int:
        return super().produce_output(parsed_args, column_names, _visible(data, parsed_args.formatter))


def _visible(values: Sequence[Any], formatter: str) -> Sequence[Any]:
    """What a format for people shows of values, in which a project's owner may have put what moves a terminal."""
    if formatter not in ("table", "value"):
        return values
    return [text.escape_control(value) if isinstance(value, str) else value for value in values]


def time_argument(value: str) -> datetime.datetime:
    """A point in time of the command line: ISO 8601, in UTC where it names no zone."""
    try:
        return model.parse_time(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{value!r} is no ISO 8601 time: {error}") from error


def count_argument(value: str) -> int:
    """A whole number of the command line that is not negative."""
    if not value.isdecimal():
        raise argparse.ArgumentTypeError(f"{value!r} is no number of rows")
    return int(value)


def add_project(parser: Any, **details: Any) -> None:
    """The option ``--project``, whose values :func:`distil.db.projects.find_ids` understands."""
    parser.add_argument("--project", metavar="PROJECT", help="only of this project: its id, or its name", **details)


def add_period(parser: Any, what: str) -> None:
    """The options ``--start`` and ``--end``.

    :param what: has to be in the period, for the help.
    """
    for option, when in (("start", "at this time or later"), ("end", "before this time")):
        shown = f"only {what} {when} (ISO 8601, in UTC where it names no zone)"
        parser.add_argument(f"--{option}", metavar="TIME", type=time_argument, help=shown)


def add_limit(parser: Any) -> None:
    """The option ``--limit``."""
    parser.add_argument("--limit", metavar="N", type=count_argument, help="no more than so many rows")


def format_time(moment: datetime.datetime | None) -> str | None:
    """ISO 8601 in UTC."""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


class Volume(columns.FormattableColumn[Any]):
    """Sorted as the number that it is.

    Shown exactly, without the zeros at its end; as text, for JSON's numbers are not exact to everyone who reads them.
    """

    def human_readable(self) -> str:
        digits = f"{self._value:f}"
        return digits.rstrip("0").rstrip(".") if "." in digits else digits

    def machine_readable(self) -> str:
        return self.human_readable()


def format_volume(volume: Decimal | None) -> Volume | None:
    return None if volume is None else Volume(volume)
