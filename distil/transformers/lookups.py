# SPDX-License-Identifier: Apache-2.0
"""The names that samples do not carry, as rating asks for them."""

import dataclasses
from typing import Protocol


class NameLookup(Protocol):
    """Names by key: a plain dict, or a cache in front of a service."""

    def get(self, key: str, /) -> str | None:
        """The name, or None where the service knows none.

        :raises LookupUnavailable: the service gave no answer, which is not "none".
        """


@dataclasses.dataclass(frozen=True)
class Lookups:
    """All tables of names.

    :param flavors: flavor id -> name.
    :param volume_types: id or name of a volume type -> name.
    :param types_of_volumes: volume id -> name of its type.
    :param container_policies: ``<project id>/<container>`` -> storage policy.
    """

    flavors: NameLookup = dataclasses.field(default_factory=dict[str, str])
    volume_types: NameLookup = dataclasses.field(default_factory=dict[str, str])
    types_of_volumes: NameLookup = dataclasses.field(default_factory=dict[str, str])
    container_policies: NameLookup = dataclasses.field(default_factory=dict[str, str])


class RecordingLookups:
    """Look-ups that remember what was asked, and what the answer was."""

    def __init__(self, lookups: Lookups) -> None:
        self._answers = {table.name: dict[str, str | None]() for table in dataclasses.fields(Lookups)}
        self.lookups = Lookups(
            **{name: _Recorded(getattr(lookups, name), answers) for name, answers in self._answers.items()}
        )

    @property
    def answers(self) -> Lookups:
        """The answers as look-ups of their own, which ask nobody."""
        return Lookups(**self._answers)

    @property
    def as_dict(self) -> dict[str, str | None]:
        """The answers by table and key."""
        return {f"{table} {key}": name for table, answers in self._answers.items() for key, name in answers.items()}


class _Recorded:
    def __init__(self, names: NameLookup, answers: dict[str, str | None]) -> None:
        self._names = names
        self._answers = answers

    def get(self, key: str, /) -> str | None:
        name = self._answers[key] = self._names.get(key)
        return name
