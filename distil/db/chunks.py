# SPDX-License-Identifier: Apache-2.0
"""Lists in parts that a statement can name."""

from collections.abc import Iterator
from collections.abc import Sequence
from typing import TypeVar

SIZE = 500

Item = TypeVar("Item")


def batched(items: Sequence[Item], size: int = SIZE) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
