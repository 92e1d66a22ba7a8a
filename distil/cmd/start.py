# SPDX-License-Identifier: Apache-2.0
"""``distil-collector``, up to its imports."""

import gc
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Import the rest and begin.

    What is imported stays as long as the process. The garbage collector would look through all of it a few times while
    it grows, for a third of the start's time, and ever again during a run; and a child would copy every page of it.

    :returns: see :func:`distil.cmd.collector.main`.
    """
    gc.disable()
    from distil.cmd import collector  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    return collector.main(argv)
