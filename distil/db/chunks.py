# SPDX-License-Identifier: Apache-2.0
"""Lists in parts that a statement can name."""

from collections.abc import Iterator
from collections.abc import Sequence

SIZE = 500


def of(items: Sequence[str], size: int = SIZE) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
