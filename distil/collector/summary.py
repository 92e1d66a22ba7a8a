# SPDX-License-Identifier: Apache-2.0
"""What is told of a run, while it lasts and afterwards."""

import dataclasses
from typing import Protocol

from distil.rating.rate import Rated


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
    :param windows: number of windows committed.
    :param rejected: number of samples that cannot be used.
    :param untrusted: number of samples whose source is not trusted.
    :param failed: ids of the projects of which a window that was due could not be collected.
    """

    projects: int
    windows: int = 0
    usage_entries: int = 0
    rejected: int = 0
    untrusted: int = 0
    failed: list[str] = dataclasses.field(default_factory=list)

    def add(self, rated: Rated) -> None:
        """Count a committed window."""
        self.windows += 1
        self.usage_entries += len(rated.usage)
        self.rejected += len(rated.rejected)
        self.untrusted += rated.untrusted

    def __str__(self) -> str:
        return (
            f"{self.projects} projects: {self.windows} windows committed with {self.usage_entries} usage entries; "
            f"{self.rejected} samples rejected, {self.untrusted} of sources that are not trusted; "
            f"{len(self.failed)} projects failed"
        )
