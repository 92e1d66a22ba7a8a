# SPDX-License-Identifier: Apache-2.0
"""``lease list`` and ``lease release``."""

import argparse
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from distil import exceptions
from distil.cmd.manage import base
from distil.db import leases
from distil.db import projects
from distil.db.leases import Lease


class List(base.ListCommand):
    """List the leases: who collects which project, and until when.

    A lease that has expired is taken over by whoever collects the project next; nobody needs to release it.
    """

    def take_action(self, _parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        rows = (
            (
                lease.project_id,
                lease.project,
                lease.owner,
                base.format_time(lease.created),
                base.format_time(lease.expires),
                lease.expired,
            )
            for lease in leases.list_leases(self.app.engine)
        )
        return ("project_id", "project", "owner", "acquired", "expires", "expired"), rows


class Release(base.ListCommand):
    """Release leases, so that another collector may take the projects at once.

    A lease that has expired is released. One that has not is its owner's, who may be collecting: only --force takes it
    away. Nothing is stored twice even then, but work is wasted. The exit status is 1 where a lease stays.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("projects", metavar="PROJECT", nargs="*", help="a project's id, or its name")
        parser.add_argument("--expired", action="store_true", help="all leases that have expired")
        parser.add_argument("--force", action="store_true", help="also where the lease has not expired")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], list[Sequence[object]]]:
        by_project = {lease.project_id: lease for lease in leases.list_leases(self.app.engine)}
        chosen = self._named(parsed_args.projects, by_project)
        if parsed_args.expired:
            chosen |= {project_id: lease for project_id, lease in by_project.items() if lease.expired}
        rows = [self._release(lease, parsed_args.force) for lease in chosen.values()]
        return ("project_id", "project", "owner", "result"), rows

    def _named(self, texts: Sequence[str], by_project: Mapping[str, Lease]) -> dict[str, Lease]:
        """:raises NotFound: there is no such project, or nobody has a lease of it."""
        # A lease may outlive its project's row.
        unknown = [text for text in texts if text not in by_project]
        ids = [text for text in texts if text in by_project] + projects.find_ids(self.app.engine, unknown)
        free = [project_id for project_id in ids if project_id not in by_project]
        if free:
            raise exceptions.NotFound(f"nobody has a lease of {', '.join(free)}")
        return {project_id: by_project[project_id] for project_id in ids}

    def _release(self, lease: Lease, force: bool) -> Sequence[object]:
        released = leases.release_lease(self.app.engine, lease, force)
        if not released:
            self.status = 1
        # What has expired and yet was not released has been renewed or taken over, or is gone.
        stays = "it has changed meanwhile" if lease.expired or force else "it has not expired; --force takes it away"
        return lease.project_id, lease.project, lease.owner, "released" if released else stays
