# SPDX-License-Identifier: Apache-2.0
"""``project list`` and ``project show``."""

import argparse
import datetime
import logging
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from distil import exceptions
from distil.cmd.manage import base
from distil.cmd.manage import project_scope
from distil.cmd.manage.project_scope import ScopedProject
from distil.conf.collector import collector_types
from distil.db import projects
from distil.db.projects import ProjectStatus
from distil.db.store import Store

LOG = logging.getLogger(__name__)

_HOUR = datetime.timedelta(hours=1)

_COLUMNS = (
    "id",
    "name",
    "domain_id",
    "collector",
    "last_collected",
    "lag_hours",
    "due",
    "lease_owner",
    "failing_since",
    "last_failed",
    "failure",
)


class List(base.ListCommand):
    """List the projects in the collectors' scopes, and how each of them stands.

    A project that is in the scope of several collectors is listed with each. lag_hours is the time since the end of the
    newest window that is stored, due the number of windows that could be collected now. A failure stays until a run
    brings the project to its end: one whose last_failed is long ago is of a project that no run comes to any more.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--behind",
            metavar="WINDOWS",
            nargs="?",
            const=1,
            type=base.count_argument,
            help="only those of which at least so many windows (1) are due, and those that were never collected",
        )
        parser.add_argument(
            "--failing", action="store_true", help="only those that the last run with them could not finish"
        )
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--collector", metavar="NAME", help="only those in the scope of this collector")
        which.add_argument("--all", action="store_true", help="also those that are stored and in no scope (any more)")
        which.add_argument("--no-keystone", action="store_true", help="all that are stored, without asking for scopes")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        standings = projects.list_statuses(self.app.engine)
        now = Store(self.app.engine).now()
        rows = (_row(place, standings, now) for place in self._places(parsed_args, standings))
        wanted = (
            tuple(row.values())
            for row in rows
            if (not parsed_args.failing or row["failure"] is not None)
            and (parsed_args.behind is None or row["last_collected"] is None or (row["due"] or 0) >= parsed_args.behind)
        )
        return _COLUMNS, wanted

    def _places(self, arguments: argparse.Namespace, standings: Mapping[str, ProjectStatus]) -> list[ScopedProject]:
        conf = self.app.conf
        if arguments.no_keystone:
            plan = project_scope.common_plan(conf)
            if plan is None and arguments.behind is not None:
                raise exceptions.ConfigurationError(
                    ["the collectors' windows differ: what is due to which project cannot be told without Keystone"]
                )
            return list(project_scope.stored(standings.values(), plan))
        names = [each.name for each in collector_types(conf)]
        if arguments.collector not in (None, *names):
            raise exceptions.NotFound(f"there is no collector {arguments.collector!r}: they are {', '.join(names)}")
        places = project_scope.in_scope(conf)
        if arguments.all:
            known = {place.project_id for place in places}
            places += project_scope.stored(each for each in standings.values() if each.project_id not in known)
        return [place for place in places if arguments.collector in (None, place.collector)]


class Show(base.ShowCommand):
    """Show how a project stands, and how much is stored of it.

    Where Keystone does not answer, what is stored is shown.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("project", metavar="PROJECT", help="its id, or its name")
        parser.add_argument("--no-keystone", action="store_true", help="ask the database alone")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[object]]:
        engine = self.app.engine
        places = [] if parsed_args.no_keystone else self._in_scope()
        project_id = self._find(parsed_args.project, places)
        standings = projects.list_statuses(engine)
        own = [place for place in places if place.project_id == project_id]
        place = (
            own[0]
            if own
            else next(project_scope.stored([standings[project_id]], project_scope.common_plan(self.app.conf)))
        )
        shown = _row(place, standings, Store(engine).now())
        shown["collector"] = ", ".join(place.collector for place in own if place.collector) or None
        contents = projects.contents(engine, project_id)
        shown |= {
            "resources": contents.resources,
            "usage_entries": contents.usage_entries,
            "first_usage": base.format_time(contents.first),
            "last_usage": base.format_time(contents.last),
            "rejected_samples": contents.rejected_samples,
        }
        return tuple(shown), tuple(shown.values())

    def _in_scope(self) -> list[ScopedProject]:
        try:
            return project_scope.in_scope(self.app.conf)
        except exceptions.IdentityError as error:
            LOG.warning("only what is stored is shown, because Keystone does not answer: %s", error)
            return []

    def _find(self, text: str, places: Sequence[ScopedProject]) -> str:
        """The id of a project; what is stored comes first."""
        try:
            return projects.find_ids(self.app.engine, [text])[0]
        except exceptions.NotFound:
            ids = {place.project_id for place in places if text in (place.project_id, place.name)}
            if len(ids) != 1:
                raise
            return ids.pop()


def _row(place: ScopedProject, standings: Mapping[str, ProjectStatus], now: datetime.datetime) -> dict[str, Any]:
    stands = standings.get(place.project_id) or ProjectStatus(project_id=place.project_id)
    last = stands.last_collected
    values = (
        place.project_id,
        place.name,
        place.domain_id,
        place.collector,
        base.format_time(last),
        None if last is None else round((now - last) / _HOUR, 1),
        None if last is None or place.plan is None else place.plan.count_due(last, now),
        stands.owner,
        base.format_time(stands.failing_since),
        base.format_time(stands.last_failed),
        stands.failure,
    )
    return dict(zip(_COLUMNS, values, strict=True))
