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


class LeaseList(base.ListCommand):
    """List the leases, each with the collector that holds it and its expiry.

    A lease is dead if its owner was a process of this host and is gone. The next collector that collects the project
    takes an expired lease over, and one of this host a dead one; they need not be released.
    """

    SUBJECT = "leases"

    def take_action(self, _parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        rows = (
            (
                lease.project_id,
                lease.project,
                lease.owner,
                base.format_time(lease.created),
                base.format_time(lease.expires),
                lease.expired,
                lease.dead,
            )
            for lease in leases.list_leases(self.app.engine)
        )
        return ("project_id", "project", "owner", "acquired", "expires", "expired", "dead"), rows


class LeaseRelease(base.ListCommand):
    """Release leases, so that another collector can collect the projects at once.

    An expired or dead lease is released. The owner of another one may be collecting, so it is released with --force
    only. Even then nothing is stored twice, but work is wasted. The exit status is 1 if a lease is kept.
    """

    SUBJECT = "leases to release"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("projects", metavar="PROJECT", nargs="*", help="ID or name of a project")
        parser.add_argument("--expired", action="store_true", help="all expired and dead leases")
        parser.add_argument("--force", action="store_true", help="also leases that have not expired")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        if not parsed_args.projects and not parsed_args.expired:
            self.refuse("name projects, or use --expired")
        by_project = {lease.project_id: lease for lease in leases.list_leases(self.app.engine)}
        chosen = self._named(parsed_args.projects, by_project)
        if parsed_args.expired:
            chosen |= {project_id: lease for project_id, lease in by_project.items() if lease.free}
        rows = (self._release(lease, parsed_args.force) for lease in chosen.values())
        return ("project_id", "project", "owner", "result"), rows

    def _named(self, names: Sequence[str], by_project: Mapping[str, Lease]) -> dict[str, Lease]:
        """The leases of projects, given by ID or name.

        :raises NotFound: a project does not exist, or no collector holds its lease.
        """
        # A lease may outlive its project's row.
        unknown = [name for name in names if name not in by_project]
        ids = [name for name in names if name in by_project] + projects.find_ids(self.app.engine, unknown)
        free = [project_id for project_id in ids if project_id not in by_project]
        if free:
            raise exceptions.NotFound(f"no collector holds the lease of project {', '.join(free)}")
        return {project_id: by_project[project_id] for project_id in ids}

    def _release(self, lease: Lease, force: bool) -> Sequence[object]:
        released = leases.release_lease(self.app.engine, lease, force)
        self.failures.add(not released)
        # An expired lease that was not released has been renewed, taken over or released by its owner.
        kept = "changed in the meantime" if lease.free or force else "not expired; use --force to release it"
        return lease.project_id, lease.project, lease.owner, "released" if released else kept
