# SPDX-License-Identifier: Apache-2.0
"""A log handler that no failure stops, be it a full disk."""

import contextlib
import io
import logging
import sys
import time

from distil.escaping import escape_control
from distil.redaction import redact

# Between the lines on standard error about a log that cannot be written.
_REPORT_SECONDS = 600.0


class ResilientHandler(logging.Handler):
    """Passes records to another handler, and counts those that it could not write.

    Standard error gets the first of them, and then at most one every ten minutes.

    :ivar errors: number of records that could not be written.
    :ivar problem: why the last record could not be written; None if it was.
    """

    def __init__(self, target: logging.Handler) -> None:
        super().__init__(target.level)
        self.errors = 0
        self.problem: str | None = None
        self._target = target
        self._reported = float("-inf")
        _accept_all_characters(target)
        # Handlers of the standard library call it for all but some errors, which they raise.
        target.handleError = self._on_error  # type: ignore[method-assign]

    def emit(self, record: logging.LogRecord) -> None:
        errors = self.errors
        try:
            self._target.handle(record)
        except Exception:
            self._on_error(record)
        if self.errors == errors:
            self.problem = None

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._target.flush()

    def close(self) -> None:
        # What a full disk did not take is lost.
        with contextlib.suppress(OSError, ValueError):
            self._target.close()
        super().close()

    def _on_error(self, record: logging.LogRecord) -> None:
        self.errors += 1
        error = sys.exception()
        reason = isinstance(error, OSError) and error.strerror
        self.problem = reason or f"{type(error).__name__}: {error}"
        now = time.monotonic()
        if now - self._reported < _REPORT_SECONDS:
            return
        self._reported = now
        with contextlib.suppress(OSError, ValueError, AttributeError):
            problem = f"The log {_name(self._target)} cannot be written: {self.problem}."
            sys.stderr.write(f"{problem} Lost: {_message(record)}\n")


def _name(handler: logging.Handler) -> str:
    """The file of a handler, a stream such as ``<stdout>``, or else the handler's class."""
    stream = getattr(handler, "stream", None)
    return str(getattr(handler, "baseFilename", None) or getattr(stream, "name", type(handler).__name__))


def _message(record: logging.LogRecord) -> str:
    try:
        message = record.getMessage()
    except Exception:  # of an argument, or because it does not fit
        message = str(record.msg)
    return redact(escape_control(message))


def _accept_all_characters(handler: logging.Handler) -> None:
    """Write what the locale's encoding lacks nonetheless: to a file as UTF-8, to a stream escaped."""
    encoding = None
    if isinstance(handler, logging.FileHandler):
        # For when the file is opened again.
        handler.encoding = encoding = "utf-8"
        handler.errors = "backslashreplace"
    stream = getattr(handler, "stream", None)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding=encoding, errors="backslashreplace")
