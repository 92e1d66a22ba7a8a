# SPDX-License-Identifier: Apache-2.0
"""The difference between two usages of one project and window."""

from collections.abc import Iterable
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from distil import model


class UsageDifference(NamedTuple):
    """An entry that two usages do not have alike.

    An entry whose unit differs gives two differences, for volumes of different units cannot be compared.

    :param before: volume in the first usage; None if it has no such entry.
    :param after: volume in the second usage; None if it has no such entry.
    """

    service: str
    resource_id: str
    unit: str
    before: Decimal | None
    after: Decimal | None

    @property
    def change(self) -> Decimal:
        """What is to be added to the first usage to get the second; a missing entry counts as 0."""
        return (self.after or Decimal(0)) - (self.before or Decimal(0))


def find_differences(before: Iterable[model.Usage], after: Iterable[model.Usage]) -> Sequence[UsageDifference]:
    """The differences, by service, resource and unit; none if the usages are equal."""
    first, second = _by_key(before), _by_key(after)
    return [
        UsageDifference(*key, first.get(key), second.get(key))
        for key in sorted(first.keys() | second.keys())
        if first.get(key) != second.get(key)
    ]


def _by_key(usage: Iterable[model.Usage]) -> dict[tuple[str, str, str], Decimal]:
    return {(entry.service, entry.resource_id, entry.unit): entry.volume for entry in usage}
