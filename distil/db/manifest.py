# SPDX-License-Identifier: Apache-2.0
"""The manifest of a closed period: what was billed in it, in counts, sums and digests.

It is JSON in ASCII with sorted keys. It holds the digest of the previous period's manifest, so that the newest digest
vouches for all periods before it.
"""

import dataclasses
import datetime
import json
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from typing import NamedTuple
from typing import Self

from distil import digest
from distil import model

_VERSION = 1


class ProjectUsage(NamedTuple):
    """The usage of a project in a period.

    :param name: as it was when the period was closed.
    :param windows: number of windows that have usage.
    :param digest: of the windows' digests, see :func:`distil.digest.windows_digest`.
    """

    id: str
    name: str
    windows: int
    entries: int
    digest: str


class ServiceSum(NamedTuple):
    """The usage of a service in a period, of all projects."""

    service: str
    unit: str
    volume: Decimal


@dataclasses.dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a period was closed with.

    :param previous: name of the period closed before it; None for the first one.
    :param previous_digest: of that period's manifest.
    :param projects: those that have usage, by id.
    :param sums: by service and unit.
    :param rules: number of recorded windows by digest of the rules that they were rated by.
    :param exceptions: by project id, why the period was closed although the project is not complete.
    """

    name: str
    window: model.Window
    previous: str | None
    previous_digest: str | None
    projects: Sequence[ProjectUsage]
    sums: Sequence[ServiceSum]
    rules: Mapping[str, int]
    exceptions: Mapping[str, str]
    closed_by: str

    def dump(self) -> str:
        """The manifest as text. Equal manifests give equal text."""
        document = {
            "version": _VERSION,
            "name": self.name,
            "start": self.window.start.isoformat(),
            "end": self.window.end.isoformat(),
            "previous": self.previous,
            "previous_digest": self.previous_digest,
            "projects": list(self.projects),
            "sums": [[*entry[:2], f"{entry.volume:f}"] for entry in self.sums],
            "rules": dict(self.rules),
            "exceptions": dict(self.exceptions),
            "closed_by": self.closed_by,
        }
        return json.dumps(document, sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> Self:
        """:raises ValueError: the text is not a manifest."""
        try:
            document: dict[str, Any] = json.loads(text)
            start, end = (datetime.datetime.fromisoformat(document[name]) for name in ("start", "end"))
            return cls(
                name=document["name"],
                window=model.Window(start, end),
                previous=document["previous"],
                previous_digest=document["previous_digest"],
                projects=[ProjectUsage(*values) for values in document["projects"]],
                sums=[ServiceSum(service, unit, Decimal(volume)) for service, unit, volume in document["sums"]],
                rules=document["rules"],
                exceptions=document["exceptions"],
                closed_by=document["closed_by"],
            )
        except (ArithmeticError, KeyError, TypeError) as error:
            raise ValueError(f"it is not a manifest: {error!r}") from error

    @property
    def digest(self) -> str:
        """Of the manifest's text."""
        return digest.document_digest(self.dump())
