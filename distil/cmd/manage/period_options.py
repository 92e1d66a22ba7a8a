# SPDX-License-Identifier: Apache-2.0
"""The options that choose a period: ``--start`` and ``--end`` or ``--month``, and ``--time-zone``."""

import argparse
import datetime
import re
import zoneinfo
from collections.abc import Callable
from typing import Any
from typing import NamedTuple
from typing import NoReturn

from distil import model

_MONTH = re.compile(r"(\d{4})-(\d{2})")


class Period(NamedTuple):
    """The half-open period [start, end) in UTC, each of which may be open.

    :param zone: in which the options were read, and in which times are shown.
    """

    start: datetime.datetime | None
    end: datetime.datetime | None
    zone: datetime.tzinfo


def add_period(parser: Any, what: str) -> None:
    """Add the options.

    :param what: must be in the period, for the help.
    """
    for option, when in (("start", "at or after this time"), ("end", "before this time")):
        help_text = f"only {what} {when} (ISO 8601)"
        parser.add_argument(f"--{option}", metavar="TIME", type=_time, help=help_text)
    parser.add_argument("--month", metavar="YYYY-MM", type=_month, help=f"only {what} in this month")
    parser.add_argument(
        "--time-zone",
        metavar="ZONE",
        type=_zone,
        default=datetime.UTC,
        help="the zone of --month, of times without an offset, and of the days, hours and months in the result, by its"
        " name in the IANA database, such as Pacific/Auckland; default: UTC",
    )


def read_period(arguments: argparse.Namespace, refuse: Callable[[str], Any]) -> Period:
    """The period that the options choose.

    :param refuse: ends the command with a message about the command line.
    """
    zone, start, end = arguments.time_zone, arguments.start, arguments.end
    if arguments.month:
        if start or end:
            refuse("--month cannot be combined with --start and --end")
        start, end = arguments.month, _following(arguments.month)
    period = Period(start and _to_utc(start, zone), end and _to_utc(end, zone), zone)
    if period.start and period.end and period.start >= period.end:
        refuse("--start must be before --end")
    return period


def add_window(parser: Any) -> None:
    """Add the arguments that choose one window of one project."""
    parser.add_argument("project", metavar="PROJECT", help="ID or name of the project")
    parser.add_argument(
        "--start",
        metavar="TIME",
        type=utc_time,
        required=True,
        help="start of the window, or any time in it (ISO 8601, UTC by default)",
    )


def read_bounded_period(arguments: argparse.Namespace, refuse: Callable[[str], NoReturn]) -> model.Window:
    """As :func:`read_period`, of a period that must have a start and an end.

    :param refuse: ends the command with a message about the command line.
    """
    period = read_period(arguments, refuse)
    if period.start is None or period.end is None:
        refuse("choose a period with --month, or with --start and --end")
    return model.Window(period.start, period.end)


def utc_time(value: str) -> datetime.datetime:
    """A time from the command line: ISO 8601, UTC by default."""
    return _to_utc(_time(value), datetime.UTC)


def utc_month(value: str) -> model.Window:
    """A month in UTC, as in ``2026-10``.

    :raises ArgumentTypeError: it is not a month.
    """
    start = _month(value)
    return model.Window(_to_utc(start, datetime.UTC), _to_utc(_following(start), datetime.UTC))


def _time(value: str) -> datetime.datetime:
    """As written: without a time zone if it has none."""
    try:
        model.parse_time(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{value!r} is not a valid ISO 8601 time: {error}") from error
    return datetime.datetime.fromisoformat(value)


def _month(value: str) -> datetime.datetime:
    match = _MONTH.fullmatch(value)
    try:
        if match:
            first = datetime.datetime(int(match[1]), int(match[2]), 1)  # noqa: DTZ001 - the zone is another option
            _following(first)
            return first
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{value!r} is not a month, such as 2026-10")


def _following(month: datetime.datetime) -> datetime.datetime:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def _zone(value: str) -> datetime.tzinfo:
    try:
        return datetime.UTC if value == "UTC" else zoneinfo.ZoneInfo(value)
    # A folder of the database, such as Pacific, or a name that leads out of it.
    except (KeyError, ValueError, OSError) as error:
        message = f"{value!r} is not a time zone of the IANA database, such as Pacific/Auckland"
        raise argparse.ArgumentTypeError(message) from error


def _to_utc(time: datetime.datetime, zone: datetime.tzinfo) -> datetime.datetime:
    try:
        return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(datetime.UTC)
    except OverflowError:
        return time.replace(tzinfo=datetime.UTC)
