# SPDX-License-Identifier: Apache-2.0
"""Look-ups of names that samples lack, as rating uses them."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Protocol


class NameLookup(Protocol):
    """Names by key: a dict, or a cache in front of a service."""

    def get(self, key: str, /) -> str | None:
        """The name; None if the service has none.

        :raises LookupUnavailable: the service gave no usable answer.
        """


@dataclasses.dataclass(frozen=True)
class Lookups:
    """The look-ups of a cloud.

    :param flavors: name of a flavor by id.
    :param volume_types: name of a volume type by id or name.
    :param types_of_volumes: name of a volume's type by volume id.
    :param container_policies: storage policy by ``<project id>/<container>``.
    """

    flavors: NameLookup = dataclasses.field(default_factory=dict[str, str])
    volume_types: NameLookup = dataclasses.field(default_factory=dict[str, str])
    types_of_volumes: NameLookup = dataclasses.field(default_factory=dict[str, str])
    container_policies: NameLookup = dataclasses.field(default_factory=dict[str, str])


def recorded_lookups(document: str, other: Lookups) -> Lookups:
    """Look-ups in the names of a :attr:`RecordingLookups.document`, and elsewhere of names that it does not have.

    :param other: answers for keys that were not looked up when the document was made.
    """
    recorded = json.loads(document)
    return Lookups(
        **{
            field.name: _RecordedLookup(recorded.get(field.name, {}), getattr(other, field.name))
            for field in dataclasses.fields(Lookups)
        }
    )


class _RecordedLookup:
    def __init__(self, recorded: Mapping[str, str | None], other: NameLookup) -> None:
        self._recorded = recorded
        self._other = other

    def get(self, key: str, /) -> str | None:
        return self._recorded[key] if key in self._recorded else self._other.get(key)


class RecordingLookups:
    """Records the results of look-ups.

    :ivar lookups: look-ups that are passed on and recorded.
    """

    def __init__(self, lookups: Lookups) -> None:
        self._results = {field.name: dict[str, str | None]() for field in dataclasses.fields(Lookups)}
        self.lookups = Lookups(
            **{name: _RecordingLookup(getattr(lookups, name), results) for name, results in self._results.items()}
        )

    @property
    def answers(self) -> Lookups:
        """Look-ups in the recorded results."""
        return Lookups(**self._results)

    @property
    def as_dict(self) -> dict[str, str | None]:
        """The recorded names by look-up and key."""
        return {f"{lookup} {key}": name for lookup, results in self._results.items() for key, name in results.items()}

    @property
    def document(self) -> str:
        """The recorded names as JSON in ASCII: ``{"flavors": {"42": "c1.c1r1"}, ...}``. Equal names give equal text."""
        return json.dumps({lookup: results for lookup, results in self._results.items() if results}, sort_keys=True)


class _RecordingLookup:
    def __init__(self, lookup: NameLookup, results: dict[str, str | None]) -> None:
        self._lookup = lookup
        self._results = results

    def get(self, key: str, /) -> str | None:
        name = self._results[key] = self._lookup.get(key)
        return name
