# SPDX-License-Identifier: Apache-2.0
"""The columns of ``project list`` and ``project show``."""

import datetime
import re
import shutil
import textwrap
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from distil import text
from distil.cmd.manage import base
from distil.cmd.manage.project_scope import ScopedProject
from distil.db.projects import MIN_ID_PREFIX
from distil.db.projects import ProjectStatus
from distil.escaping import escape_control

COLUMNS = (
    "id",
    "name",
    "domain_id",
    "domain",
    "collector",
    "last_collected",
    "lag_hours",
    "due",
    "lease_owner",
    "failing_since",
    "last_failed",
    "failure",
    "departed",
    "collect_until",
    "departure",
)

# The last one, state, takes what the others leave of the width: 10 of 80 characters.
SHORT_COLUMNS = ("id", "name", "last_collected", "lag_hours", "due", "state")
_NAME_WIDTH = 12
_OTHERS_WIDTH = 70
_MIN_STATE_WIDTH = 10
_MAX_STATE_LINES = 3

_HOUR = datetime.timedelta(hours=1)
_LONG_ID = re.compile(r"\b([0-9a-f]{8})(?:[0-9a-f]{24}|(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")
_URL = re.compile(r"(?<=://)([^/\s]+)/[^\s,:)]*")


def describe(
    project: ScopedProject, statuses: Mapping[str, ProjectStatus], now: datetime.datetime, domains: Mapping[str, str]
) -> dict[str, Any]:
    """The values of all columns.

    :param domains: names of domains by id.
    """
    status = statuses.get(project.project_id) or ProjectStatus(project_id=project.project_id)
    last = status.last_collected
    values = (
        project.project_id,
        project.name,
        project.domain_id,
        domains.get(project.domain_id or ""),
        project.collector,
        base.format_time(last),
        None if last is None else round((now - last) / _HOUR, 1),
        None if last is None or project.plan is None else project.plan.count_due(last, now, status.collect_until),
        status.owner,
        base.format_time(status.failing_since),
        base.format_time(status.last_failed),
        status.failure,
        base.format_time(status.departed),
        base.format_time(status.collect_until),
        _departure(project, status),
    )
    return dict(zip(COLUMNS, values, strict=True))


def shorten(row: Mapping[str, Any], max_width: int) -> Sequence[Any]:
    """The values of the short columns: the beginning of an id, a time without its seconds, lines of the state.

    :param max_width: of the table; 0: that of the terminal, or 80.
    """
    time = row["last_collected"]
    width = max(_MIN_STATE_WIDTH, (max_width or shutil.get_terminal_size().columns) - _OTHERS_WIDTH)
    lines = textwrap.wrap(escape_control(_state(row)), width, max_lines=_MAX_STATE_LINES, placeholder="...")
    return (
        row["id"][:MIN_ID_PREFIX],
        text.truncate(row["name"] or "", _NAME_WIDTH, "..."),
        time and f"{time[: len('YYYY-MM-DDThh:mm')]}Z",
        row["lag_hours"],
        row["due"],
        base.Lines("\n".join(lines)),
    )


def _departure(project: ScopedProject, status: ProjectStatus) -> str | None:
    """What becomes of a project that Keystone does not list as enabled; None if it does, or that is unknown."""
    if project.is_leaving:
        return f"left Keystone; the next run of {status.in_scope_of} collects its last usage"
    if status.departed is None:
        return None
    if status.in_scope_of is None:
        return "left Keystone; collected to its end"
    if status.collect_until is None:
        return f"left Keystone; another run of {status.in_scope_of} has to confirm it"
    return f"left Keystone; collected until {base.format_time(status.collect_until)}"


def _state(row: Mapping[str, Any]) -> str:
    """The departure and the failure, without the part of URLs and ids that says least."""
    departed = "departed" if row["departure"] else None
    if departed and row["collect_until"]:
        departed += f", until {row['collect_until'][len('YYYY-MM-DDT') : -len(':00Z')]}Z"
    failure = _URL.sub(r"\1", _LONG_ID.sub(r"\1", row["failure"] or ""))
    return "; ".join(filter(None, (departed, failure)))
