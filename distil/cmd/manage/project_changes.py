# SPDX-License-Identifier: Apache-2.0
"""``project forget`` and ``project start``."""

import argparse
import logging
from collections.abc import Sequence

from distil import exceptions
from distil.cmd.manage import base
from distil.cmd.manage import period_options
from distil.cmd.manage.operator_name import operator_name
from distil.db import project_start
from distil.db import projects
from distil.db import retention
from distil.db.lease_owner import owner_name
from distil.db.store import Store
from distil.db.tracked_projects import TrackedProject
from distil.db.tracked_projects import TrackedProjects

LOG = logging.getLogger(__name__)

# Before OpenStack: a wrong number.
_FIRST_YEAR = 2010


class _ProjectChange(base.ShowCommand):
    """Changes one project, which has to be named in full."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("project", metavar="PROJECT", help="ID or name of the project")
        base.add_dry_run(parser)
        return parser

    def _find_id(self, arguments: argparse.Namespace) -> str:
        return projects.find_ids(self.app.engine, [arguments.project], with_prefixes=False)[0]


class ProjectForget(_ProjectChange):
    """Delete everything that is stored of a project: usage, resources, rejected samples, and the project itself.

    A project in the scope of a collector is refused: the next run would register it anew, and collect again what has
    been billed. Disable or delete it in Keystone first, or exclude it from the scope, and wait until a run has noticed
    that and has collected the last usage. --force skips these checks. A project whose lease a collector holds is always
    refused, and so is one that has windows in a closed period: delete these with usage prune --closed-periods first.

    The rows are deleted in many short transactions, also while collectors run. A command that was interrupted can be
    repeated. The database user needs the privilege DELETE on all tables.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--force",
            action="store_true",
            help="do not check, in Keystone and in what the last runs have stored, whether the project is in scope and"
            " its last usage is collected",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[object]]:
        project_id = self._find_id(parsed_args)
        if not parsed_args.force:
            self._require_out_of_scope(project_id)
        retention.require_forgettable(self.app.engine, project_id)
        if parsed_args.dry_run:
            result, counts = "would be forgotten", retention.count_rows(self.app.engine, project_id)
        else:
            result, counts = "forgotten", retention.forget(self.app.engine, project_id, owner_name(self.app.NAME))
        # SQLAlchemy's names of tables are of a type of their own, which YAML cannot represent.
        fields = {"project_id": project_id, "result": result, **{str(table): rows for table, rows in counts.items()}}
        return tuple(fields), tuple(fields.values())

    def _require_out_of_scope(self, project_id: str) -> None:
        # Slow to import, as everything that speaks to the cloud.
        from distil.cmd.manage import project_scope  # noqa: PLC0415

        scopes = project_scope.read_scopes(self.app.conf)
        for project in scopes.projects:
            if project.project_id == project_id:
                raise exceptions.Refused(
                    f"project {project_id} is in the scope of collector {project.collector}, whose next run would"
                    " register it anew and collect it again; disable it in Keystone, or exclude it from the scope"
                )
        tracked = TrackedProjects(self.app.engine).load().get(project_id)
        if tracked:
            is_leaving = project_scope.is_leaving(project_id, tracked.in_scope_of, tracked.departed, scopes.enabled)
            raise exceptions.Refused(_tracked(tracked, is_leaving))


class ProjectStart(_ProjectChange):
    """Set where the collection of a project goes on, for one whose start was set wrongly.

    Collectors go on with the window that starts at --at. An earlier time than the present one has the windows since
    then collected, as far as the telemetry service still has their samples; it is refused if usage or rejected samples
    of these windows are stored, because they would be stored twice; usage recollect replaces it. So is one that has
    windows in a closed period collected again. Usage that was pruned is not known. A later
    time skips the windows until then: their usage is never collected.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--at",
            metavar="TIME",
            type=period_options.utc_time,
            required=True,
            help="start of the first window to collect, a full hour (ISO 8601, UTC by default)",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[object]]:
        at = parsed_args.at
        if at.replace(minute=0, second=0, microsecond=0) != at:
            self.refuse("--at must be a full hour")
        if at.year < _FIRST_YEAR:
            self.refuse(f"--at must not be before {_FIRST_YEAR}")
        if at > Store(self.app.engine).now():
            self.refuse("--at must not be in the future")
        project_id = self._find_id(parsed_args)
        previous = project_start.set_start(
            self.app.engine, project_id, at, operator_name(), dry_run=parsed_args.dry_run
        )
        before, after = base.format_time(previous), base.format_time(at)
        if previous and previous < at:
            LOG.warning("Usage from %s to %s is skipped: no collector will collect it", before, after)
        status = projects.list_statuses(self.app.engine)[project_id]
        if status.departed and not status.in_scope_of:
            LOG.warning(
                "Project %s has departed and its collection has ended: no collector collects it, unless Keystone lists"
                " it as enabled again",
                project_id,
            )
        fields = {
            "project_id": project_id,
            "result": "would be set" if parsed_args.dry_run else "set",
            "last_collected_before": before,
            "last_collected": after,
        }
        return tuple(fields), tuple(fields.values())


def _tracked(project: TrackedProject, is_leaving: bool) -> str:
    """Why a project that is in no scope any more is not forgotten yet."""
    subject, collector = f"project {project.id}", f"collector {project.in_scope_of}"
    last = f"last collected: {base.format_time(project.last_collected) or 'never'}"
    if is_leaving:
        reason = (
            f"{subject} has left Keystone, which no run of {collector} has noticed yet: its last usage is not collected"
            f" ({last}); wait for that"
        )
    elif project.departed:
        until = base.format_time(project.collect_until)
        end = f"until {until}" if until else "when another run has confirmed that"
        reason = f"{subject} has left Keystone, but {collector} collects its last usage {end} ({last}); wait for that"
    else:
        reason = (
            f"{subject} was in the scope of {collector} in its last run, which may register it anew and collect it"
            " again: restart the collector if its configuration has changed, and wait for its next run"
        )
    return f"{reason}, or use --force if no collector has it in scope any more"
