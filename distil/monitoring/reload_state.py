# SPDX-License-Identifier: Apache-2.0
"""What became of the last reload of the configuration."""

import datetime
from multiprocessing.sharedctypes import RawArray

from distil.redaction import redact
from distil.text import format_timestamp

_MAX_BYTES = 2000


class ReloadState:
    """Whether the configuration files could be used when SIGHUP was received last.

    Made by the parent, which writes it, before it forks; the children read it.
    """

    def __init__(self) -> None:
        # Without a lock, which a killed process might hold for ever: at worst, a text is shown once in part.
        self._problem = RawArray("c", _MAX_BYTES)

    def refuse(self, now: datetime.datetime, reason: str) -> None:
        """The files cannot be used: the old configuration stays in force.

        :param now: the time of the reload.
        :param reason: on one line or several.
        """
        problem = (
            f"SIGHUP at {format_timestamp(now)}: the new configuration is not in force, and a restart may fail: "
            f"{redact('; '.join(reason.splitlines()))}"
        )
        self._problem.value = problem.encode(errors="backslashreplace").replace(b"\0", b"\\0")[: _MAX_BYTES - 1]

    def accept(self) -> None:
        """The files are in force."""
        self._problem.value = b""

    def problems(self) -> list[str]:
        """What is wrong, for operators; empty if there was no reload yet."""
        problem = self._problem.value.decode(errors="ignore")
        return [problem] if problem else []
