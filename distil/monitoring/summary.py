# SPDX-License-Identifier: Apache-2.0
"""What is told of a run, while it lasts and afterwards."""

import dataclasses
from typing import Protocol

from distil.rating.rate import RatedWindow
from distil.text import pluralize


class Progress(Protocol):
    """Where a run says how far it is."""

    def expect(self, windows: int) -> None:
        """So many windows are due."""

    def advance(self) -> None:
        """Another window is done."""


@dataclasses.dataclass
class Summary:
    """What became of a run.

    :param projects: number of projects in scope.
    :param due: number of windows that were due at its start; ``left`` of them are still due at its end.
    :param windows: number of windows committed.
    :param rejected: number of samples that cannot be used.
    :param untrusted: number of samples whose source is not trusted.
    :param failed: why, by id, of the projects of which a window that was due could not be collected.
    :param behind: number of projects with windows that are due and that it had no room for.
    :param skipped: number of projects with windows that are another collector's, or of which nobody can tell.
    """

    projects: int = 0
    due: int = 0
    left: int = 0
    windows: int = 0
    usage_entries: int = 0
    rejected: int = 0
    untrusted: int = 0
    failed: dict[str, str] = dataclasses.field(default_factory=dict)
    behind: int = 0
    skipped: int = 0

    def add(self, rated: RatedWindow) -> None:
        """Count a committed window."""
        self.windows += 1
        self.usage_entries += len(rated.usage)
        self.rejected += len(rated.rejected)
        self.untrusted += rated.untrusted

    def __str__(self) -> str:
        return (
            f"{pluralize(self.projects, 'project')}: {pluralize(self.windows, 'window')} committed with "
            f"{pluralize(self.usage_entries, 'usage entry', 'usage entries')}, "
            f"{pluralize(self.left, 'window')} still due; "
            f"{pluralize(self.rejected, 'sample')} rejected, {self.untrusted} of sources that are not trusted; "
            f"{pluralize(len(self.failed), 'project')} failed, {self.behind} behind, {self.skipped} skipped"
        )
