# SPDX-License-Identifier: Apache-2.0
"""``resource show``."""

import argparse
from collections.abc import Sequence

from distil.cmd.manage import base
from distil.db import projects
from distil.db import resources


class ResourceShow(base.ShowCommand):
    """Show a metered resource: its project, its metadata as last seen, and how much is stored of it."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("resource", metavar="ID", help="ID of the resource, as usage list shows it")
        base.add_project(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[object]]:
        chosen = projects.find_ids(self.app.engine, parsed_args.project)
        found = resources.get(self.app.engine, parsed_args.resource, chosen)
        fields = {
            "id": found.id,
            "project_id": found.project_id,
            "project": found.project,
            "domain_id": found.domain_id,
            "created": base.format_time(found.created),
            "services": ", ".join(found.services),
            "usage_entries": found.usage_entries,
            "first_usage": base.format_time(found.first),
            "last_usage": base.format_time(found.last),
            "rejected_samples": found.rejected_samples,
            "info": base.JSONColumn(found.info),
        }
        return tuple(fields), tuple(fields.values())
