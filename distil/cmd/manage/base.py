# SPDX-License-Identifier: Apache-2.0
"""Base classes, arguments and formats of the commands."""

import argparse
import datetime
import itertools
import json
import logging
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from typing import NoReturn

from cliff import columns
from cliff import command
from cliff import display
from cliff import lister
from cliff import show

from distil import text
from distil.cmd.manage.app import Manage
from distil.cmd.manage.printable import printable
from distil.db.queries import SortKey
from distil.escaping import escape_lines

LOG = logging.getLogger(__name__)

# A table holds all rows in memory and is printed when the last one has been read.
_MANY_ROWS = 5_000

_SORT_HELP = "sort by this column; can be repeated, the first has priority. --limit counts rows after the sort"


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


class _RefusingCommand(command.Command):
    """A command that may refuse its command line."""

    app: Manage
    _parser: argparse.ArgumentParser

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        self._parser = super().get_parser(prog_name)
        return self._parser

    def refuse(self, problem: str) -> NoReturn:
        """End with the usage of the command and the status of an invalid command line."""
        self._parser.error(problem)


class TextCommand(_RefusingCommand):
    """Prints text of several lines. ``take_action`` returns the exit status."""

    def print_lines(self, lines: Iterable[str]) -> None:
        """Print lines with all other control characters escaped."""
        self.app.stdout.writelines(f"{escape_lines(line)}\n" for line in lines)


class _Command(_RefusingCommand, display.DisplayCommandBase[Any]):
    """A command that may show results of which some are failures.

    :ivar failures: of this run; complete once all rows have been shown.
    """

    failures: FailureCounter

    def run(self, parsed_args: argparse.Namespace) -> int:
        self.failures = FailureCounter()
        return super().run(parsed_args) or self.failures.exit_status

    def require_columns(self, chosen: Iterable[str], names: Sequence[str]) -> None:
        """Refuse names of columns that the command does not have; cliff ignores them."""
        for name in map(self._normalize_column_name, chosen):
            if name not in names:
                self.refuse(f"unknown column {name!r}; the columns are: {', '.join(names)}")


class ListCommand(_Command, lister.Lister):
    """Shows rows. ``take_action`` returns the column names and the rows, which may come from a generator.

    :cvar SUBJECT: what the rows are, in the plural, for the message that there are none.
    :cvar TABLE_NOTE: what a reader of a table has to know.
    :cvar SORTED_BY_DATABASE: ``take_action`` sorts by :meth:`sort_keys` and limits the rows, so that memory need not
        hold those that are not shown.
    """

    SUBJECT = "rows"
    TABLE_NOTE = ""
    SORTED_BY_DATABASE = False

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        for action in parser._actions:  # noqa: SLF001 - argparse has no other way to change an option's help
            if action.dest == "sort_columns":
                action.help = _SORT_HELP
        return parser

    @property
    def need_sort_by_cliff(self) -> bool:
        return False

    def sort_keys(self, arguments: argparse.Namespace, names: Sequence[str]) -> list[SortKey]:
        """What ``--sort-column`` asks for, first key first."""
        self.require_columns(arguments.sort_columns, names)
        chosen = map(self._normalize_column_name, arguments.sort_columns)
        return [SortKey(name, arguments.sort_direction == "desc") for name in chosen]

    def produce_output(
        self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Iterable[Sequence[Any]]
    ) -> int:
        self.require_columns(parsed_args.columns, column_names)
        rows: Iterable[Sequence[Any]] = data
        if not self.SORTED_BY_DATABASE:
            rows = _sorted(rows, column_names, self.sort_keys(parsed_args, column_names))
            rows = itertools.islice(rows, getattr(parsed_args, "limit", None))
        names, rows = self.displayed(parsed_args, column_names, self._noted(rows, parsed_args.formatter))
        return super().produce_output(parsed_args, names, (printable(row, parsed_args.formatter) for row in rows))

    def displayed(
        self, _arguments: argparse.Namespace, names: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
        """The columns and values to show of the sorted rows, if those are not all."""
        return names, rows

    def _noted(self, rows: Iterable[Sequence[Any]], formatter: str) -> Iterator[Sequence[Any]]:
        """The rows, with a word on standard error if there are none, or many in a format that keeps them all."""
        count = 0
        for count, row in enumerate(rows, 1):
            if count == _MANY_ROWS and formatter == "table":
                LOG.info("%d rows or more, which a table holds in memory: -f csv or jsonl streams them", _MANY_ROWS)
            yield row
        if not count:
            LOG.info("No %s found", self.SUBJECT)
        elif formatter == "table" and self.TABLE_NOTE:
            LOG.info(self.TABLE_NOTE)


class ShowCommand(_Command, show.ShowOne):
    """Shows one object. ``take_action`` returns the names of its fields and their values."""

    def produce_output(self, parsed_args: argparse.Namespace, column_names: Sequence[str], data: Sequence[Any]) -> int:
        self.require_columns(parsed_args.columns, column_names)
        return super().produce_output(parsed_args, column_names, printable(data, parsed_args.formatter))


def _sorted(rows: Iterable[Sequence[Any]], names: Sequence[str], keys: Sequence[SortKey]) -> Iterable[Sequence[Any]]:
    """The rows in order; those without a value come last, or first if the order is descending."""
    for key in reversed(keys):
        index = names.index(key.column)
        rows = sorted(rows, key=lambda row, at=index: (row[at] is None, row[at]), reverse=key.descending)  # type: ignore[misc]
    return rows


def count_argument(value: str) -> int:
    """A non-negative whole number from the command line."""
    if not value.isdecimal():
        raise argparse.ArgumentTypeError(f"{value!r} is not a non-negative whole number")
    return int(value)


def add_project(parser: Any) -> None:
    """The option ``--project``, whose values :func:`distil.db.projects.find_ids` resolves."""
    help_text = "only this project, by ID or name; can be repeated"
    parser.add_argument("--project", metavar="PROJECT", action="append", default=[], help=help_text)


def add_limit(parser: Any) -> None:
    """The option ``--limit``."""
    parser.add_argument("--limit", metavar="N", type=count_argument, help="maximum number of rows")


def add_dry_run(parser: Any, done: str = "done") -> None:
    """The option ``--dry-run``.

    :param done: what the command does, as a participle, for the help.
    """
    help_text = f"show what would be {done}, without changing anything"
    parser.add_argument("--dry-run", action="store_true", help=help_text)


def format_time(moment: datetime.datetime | None, zone: datetime.tzinfo = datetime.UTC) -> str | None:
    """ISO 8601 in a time zone."""
    if moment is None:
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if zone is datetime.UTC else moment.astimezone(zone).isoformat()


class VolumeColumn(columns.FormattableColumn[Any]):
    """Sorts as a number, and is shown as exact text without trailing zeros.

    Text in JSON as well: many readers of JSON round numbers.
    """

    def human_readable(self) -> str:
        return text.plain_number(self._value)

    def machine_readable(self) -> str:
        return self.human_readable()


class Lines(columns.FormattableColumn[str]):
    """Text whose line ends are shown as such in a table. Its other control characters have been escaped."""

    def human_readable(self) -> str:
        return self._value


class JSONColumn(columns.FormattableColumn[str]):
    """JSON text: indented in text formats, a value in the others."""

    def human_readable(self) -> str:
        value = self.machine_readable()
        lines = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
        return escape_lines(lines)

    def machine_readable(self) -> Any:
        try:
            return json.loads(self._value)
        except (RecursionError, ValueError):
            return self._value


def format_volume(volume: Decimal | None) -> VolumeColumn | None:
    return None if volume is None else VolumeColumn(volume)
