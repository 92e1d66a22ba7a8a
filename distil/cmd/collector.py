# SPDX-License-Identifier: Apache-2.0
"""``distil-collector``: handles signals while it imports the rest."""

import gc
import os
import signal
import sys
from collections.abc import Sequence


def _exit(*_: object) -> None:
    # Up to an end time, the status tells whether the projects were collected up to it.
    raise SystemExit(any(argument.startswith("--collect-e") for argument in sys.argv))


def main(argv: Sequence[str] | None = None) -> int:
    """Import the rest and run it.

    Imported objects live as long as the process. They are frozen: the garbage collector would scan them several times
    during the imports, for a third of the start-up time, and again in every run, and each child would copy their pages.

    :returns: see :func:`distil.daemon.main.main`.
    """
    # Until something runs that has to stop in order. SIGHUP stays pending; SIGUSR2 would end the process.
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    # openstacksdk needs a home directory, which a uid without a name lacks unless the container runtime sets it.
    os.environ.setdefault("HOME", "/")
    # prometheus_client would keep the values of metrics in files there, which may be impossible, and would add up those
    # of all processes, also of earlier ones. It reads the variable when it is imported.
    for name in ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"):
        os.environ.pop(name, None)
    gc.disable()
    import distil.daemon.main  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    return distil.daemon.main.main(argv)
