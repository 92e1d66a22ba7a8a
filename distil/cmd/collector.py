# SPDX-License-Identifier: Apache-2.0
"""``distil-collector``, up to its imports."""

import gc
import os
import signal
import sys
from collections.abc import Sequence


def _end_at_once(*_: object) -> None:
    # Up to an end time the status says whether it has come that far.
    raise SystemExit(any(argument.startswith("--collect-e") for argument in sys.argv))


def main(argv: Sequence[str] | None = None) -> int:
    """Import the rest and begin.

    What is imported stays as long as the process. The garbage collector would look through all of it a few times while
    it grows, for a third of the start's time, and ever again during a run; and a child would copy every page of it.

    :returns: see :func:`distil.daemon.main.main`.
    """
    # Until there is something that has to end in order. A SIGHUP waits for who can heed it; a SIGUSR2 would end it.
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end_at_once)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    # openstacksdk wants to know a home. Under a uid of no name there is none, unless a container's runtime has set it.
    os.environ.setdefault("HOME", "/")
    gc.disable()
    import distil.daemon.main  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    return distil.daemon.main.main(argv)
