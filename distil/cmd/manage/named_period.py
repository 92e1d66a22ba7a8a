# SPDX-License-Identifier: Apache-2.0
"""The arguments of commands about a named period: its name, ``--start`` and ``--end``, and ``--except``."""

import argparse
from collections.abc import Callable
from typing import Any
from typing import NoReturn

import sqlalchemy as sa

from distil import exceptions
from distil.cmd.manage import base
from distil.cmd.manage import period_findings
from distil.cmd.manage import period_options
from distil.db import projects
from distil.db.models import MAX_PERIOD
from distil.db.store import Store
from distil.model import Window
from distil.text import is_storable

Refuse = Callable[[str], NoReturn]


def add_arguments(parser: Any) -> None:
    """Add the arguments."""
    parser.add_argument(
        "name", metavar="NAME", help="a month in UTC, such as 2026-10; or any name, with --start and --end"
    )
    for option in ("start", "end"):
        parser.add_argument(
            f"--{option}",
            metavar="TIME",
            type=period_options.utc_time,
            help=f"{option} of the period (ISO 8601, UTC by default)",
        )
    parser.add_argument(
        "--except",
        dest="exceptions",
        metavar="PROJECT=REASON",
        action="append",
        default=[],
        help="accept the findings of this project, or of rechecks or rosters, for this reason; can be repeated",
    )


def read_window(arguments: argparse.Namespace, refuse: Refuse) -> Window:
    """The period.

    :param refuse: ends the command with a message about the command line.
    """
    name, start, end = arguments.name, arguments.start, arguments.end
    if not name or len(name) > MAX_PERIOD or not is_storable(name):
        refuse(f"NAME must have 1 to {MAX_PERIOD} characters")
    try:
        month = period_options.utc_month(name)
    except argparse.ArgumentTypeError as error:
        if start and end and start < end:
            return Window(start, end)
        refuse(f"{error}; give both --start and --end, in this order, or a month as the name")
    if start or end:
        refuse(f"{name} is a month, whose start and end are known")
    return month


def require_over(engine: sa.Engine, name: str, window: Window) -> None:
    """Check that the period is over, by the database's clock.

    :raises Refused: it is not.
    :raises StoreError: the database failed.
    """
    if window.end > Store(engine).now():
        raise exceptions.Refused(f"period {name} is not over: it ends at {base.format_time(window.end)}")


def read_exceptions(engine: sa.Engine, arguments: argparse.Namespace, refuse: Refuse) -> dict[str, str]:
    """The reasons of ``--except``, by project id, ``rechecks`` or ``rosters``.

    :raises StoreError: the database failed.
    """
    return dict(_exception(engine, value, refuse) for value in arguments.exceptions)


def _exception(engine: sa.Engine, value: str, refuse: Refuse) -> tuple[str, str]:
    name, _, reason = (part.strip() for part in value.partition("="))
    if not (name and reason):
        refuse(f"--except {value!r}: write PROJECT=REASON")
    if name in (period_findings.RECHECKS, period_findings.ROSTERS):
        return name, reason
    try:
        return projects.find_ids(engine, [name], with_prefixes=False)[0], reason
    except exceptions.NotFound:
        # One that no run has seen has no name.
        return name, reason
