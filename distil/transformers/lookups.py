# SPDX-License-Identifier: Apache-2.0
"""Look-ups of names that samples lack, as rating uses them."""

import dataclasses
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


class _RecordingLookup:
    def __init__(self, lookup: NameLookup, results: dict[str, str | None]) -> None:
        self._lookup = lookup
        self._results = results

    def get(self, key: str, /) -> str | None:
        name = self._results[key] = self._lookup.get(key)
        return name
