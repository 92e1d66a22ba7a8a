# SPDX-License-Identifier: Apache-2.0
"""``project list`` and ``project show``."""

import argparse
import functools
import logging
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from distil import exceptions
from distil.cmd.manage import base
from distil.cmd.manage import collectors
from distil.cmd.manage import project_scope
from distil.cmd.manage import project_status
from distil.cmd.manage.project_scope import ScopedProject
from distil.cmd.manage.project_scope import Scopes
from distil.conf.registry import TrackedConfigOpts
from distil.db import projects as stored_projects
from distil.db.projects import ProjectStatus
from distil.db.store import Store

LOG = logging.getLogger(__name__)


class ProjectList(base.ListCommand):
    """List the projects in the collectors' scopes with their status.

    A table has six columns and the width of the terminal: ids, names and failures are shortened. --long shows all
    columns in full, as all other formats do. A command takes the shortened id for the project, if no other project's
    begins with it.

    A project that is in the scope of several collectors is listed with each of them. lag_hours is the time since the
    end of the newest stored window, due the number of windows that could be collected now. A failure is kept until a
    run collects all due windows of the project; an old last_failed means that no run includes the project any more.

    A project that Keystone no longer lists as enabled is listed until its last usage is collected, and departure says
    what becomes of it: departed is when a run noticed, collect_until the end of its last window. That is empty as long
    as a run has to confirm the departure.

    Entries of the scopes that match nothing are warned of.
    """

    SUBJECT = "projects"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("--long", action="store_true", help="all columns in full, also in a table")
        base.add_limit(parser)
        parser.add_argument(
            "--behind",
            metavar="WINDOWS",
            nargs="?",
            const=1,
            type=base.count_argument,
            help="only projects with at least this many due windows (default: 1), and those never collected",
        )
        parser.add_argument("--failing", action="store_true", help="only projects whose last collection failed")
        parser.add_argument(
            "--departed",
            action="store_true",
            help="only projects that Keystone no longer lists as enabled; with --all, also those whose last usage is "
            "collected",
        )
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--collector", metavar="NAME", help="only projects in the scope of this collector")
        source.add_argument("--all", action="store_true", help="also stored projects that are in no scope")
        source.add_argument(
            "--no-keystone", action="store_true", help="all stored projects, without asking Keystone for the scopes"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        statuses = stored_projects.list_statuses(self.app.engine)
        now = Store(self.app.engine).now()
        scopes = self._scopes(parsed_args)
        domains = scopes.domains if scopes else {}
        projects = self._projects(parsed_args, statuses, scopes)
        rows = (project_status.describe(project, statuses, now, domains) for project in projects)
        return project_status.COLUMNS, (tuple(row.values()) for row in rows if _is_selected(row, parsed_args))

    def displayed(
        self, arguments: argparse.Namespace, names: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
        if arguments.formatter != "table" or arguments.long or arguments.columns:
            return names, rows
        width = int(arguments.max_width)
        shown = (project_status.shorten(dict(zip(names, row, strict=True)), width) for row in rows)
        return project_status.SHORT_COLUMNS, shown

    def _scopes(self, arguments: argparse.Namespace) -> Scopes | None:
        """None without Keystone, which ``--departed`` does not depend on."""
        conf = self.app.conf
        collectors.choose(conf, arguments.collector)
        if arguments.no_keystone:
            return None
        if arguments.departed:
            return _read_scopes(conf)
        try:
            scopes = project_scope.read_scopes(conf)
        except exceptions.IdentityError as error:
            raise exceptions.IdentityError(f"{error}; --no-keystone shows what the database has") from error
        for problem in scopes.unknown:
            LOG.warning(problem)
        return scopes

    def _projects(
        self, arguments: argparse.Namespace, statuses: Mapping[str, ProjectStatus], scopes: Scopes | None
    ) -> list[ScopedProject]:
        conf = self.app.conf
        enabled = scopes and scopes.enabled
        departed = functools.partial(project_scope.departed, conf, statuses.values(), enabled)
        if arguments.departed:
            projects = departed(with_finished=arguments.all)
        elif scopes is None:
            plan = project_scope.common_plan(conf)
            if plan is None and arguments.behind is not None:
                raise exceptions.ConfigurationError(
                    ["--behind needs Keystone, because the collectors differ in which windows are due"]
                )
            projects = list(project_scope.stored(statuses.values(), plan))
        else:
            # Those in scope, those that have departed from it, and with --all all others that are stored.
            projects = list(scopes.projects)
            for others in (departed(), project_scope.stored(statuses.values()) if arguments.all else ()):
                known = {project.project_id for project in projects}
                projects += [project for project in others if project.project_id not in known]
        return [project for project in projects if arguments.collector in (None, project.collector)]


class ProjectShow(base.ShowCommand):
    """Show the status of a project, and how much is stored of it.

    If Keystone does not answer, only what is stored is shown.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "project", metavar="PROJECT", help="ID or name of the project, or 8 or more characters of its ID"
        )
        parser.add_argument("--no-keystone", action="store_true", help="ask only the database")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[object]]:
        engine = self.app.engine
        scopes = None if parsed_args.no_keystone else _read_scopes(self.app.conf)
        projects = scopes.projects if scopes else ()
        project_id = self._find_id(parsed_args.project, projects)
        statuses = stored_projects.list_statuses(engine)
        scoped = [project for project in projects if project.project_id == project_id]
        stored = [statuses[project_id]] if project_id in statuses else []
        scoped = scoped or project_scope.departed(self.app.conf, stored, scopes and scopes.enabled)
        project = scoped[0] if scoped else self._stored(statuses[project_id])
        domains = scopes.domains if scopes else {}
        fields = project_status.describe(project, statuses, Store(engine).now(), domains)
        fields["collector"] = ", ".join(project.collector for project in scoped if project.collector) or None
        contents = stored_projects.contents(engine, project_id)
        fields |= {
            "resources": contents.resources,
            "usage_entries": contents.usage_entries,
            "first_usage": base.format_time(contents.first),
            "last_usage": base.format_time(contents.last),
            "rejected_samples": contents.rejected_samples,
        }
        return tuple(fields), tuple(fields.values())

    def _stored(self, status: ProjectStatus) -> ScopedProject:
        return next(project_scope.stored([status], project_scope.common_plan(self.app.conf)))

    def _find_id(self, name: str, projects: Sequence[ScopedProject]) -> str:
        """The ID of a project, from the database or, if it is not stored there, from the projects in scope."""
        try:
            return stored_projects.find_ids(self.app.engine, [name])[0]
        except exceptions.NotFound:
            ids = {project.project_id for project in projects if name in (project.project_id, project.name)}
            if len(ids) != 1:
                raise
            return ids.pop()


def _read_scopes(conf: TrackedConfigOpts) -> Scopes | None:
    """None if Keystone does not answer."""
    try:
        return project_scope.read_scopes(conf)
    except exceptions.IdentityError as error:
        LOG.warning("showing only what is stored, because Keystone does not answer: %s", error)
        return None


def _is_selected(row: Mapping[str, Any], arguments: argparse.Namespace) -> bool:
    if (arguments.failing and row["failure"] is None) or (arguments.departed and row["departure"] is None):
        return False
    return arguments.behind is None or row["last_collected"] is None or (row["due"] or 0) >= arguments.behind
