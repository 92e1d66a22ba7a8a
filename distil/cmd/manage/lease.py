# SPDX-License-Identifier: Apache-2.0
"""``lease list``."""

import argparse
from collections.abc import Iterator
from collections.abc import Sequence

from distil.cmd.manage import base
from distil.db import lease_table


class List(base.Listing):
    """List the leases: who collects which project, and until when.

    A lease that has expired is taken over by whoever collects the project next; nobody needs to release it.
    """

    def take_action(self, _parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        rows = (
            (
                lease.project_id,
                lease.project,
                lease.owner,
                base.shown_time(lease.created),
                base.shown_time(lease.expires),
                lease.expired,
            )
            for lease in lease_table.leases(self.app.engine)
        )
        return ("project_id", "project", "owner", "acquired", "expires", "expired"), rows
