# SPDX-License-Identifier: Apache-2.0
"""oslo.log's formats, safe with text from outside."""

import json
import logging
import sys
from typing import Any

from oslo_log import formatters

from distil.escaping import escape_control
from distil.escaping import escape_lines
from distil.redaction import redact

# Escape sequences that oslo.log's handler for terminals adds itself.
_COLORS = frozenset(("color", "reset_color"))


class TextFormatter(formatters.ContextFormatter):
    """oslo.log's text format, with one line for a record and its context, whatever text they contain.

    A traceback follows, each line with a prefix that oslo.log adds. oslo.log also appends the exception that is being
    handled to a WARNING or ERROR; this class does so only if the message does not say it already.
    """

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        has_exception_text = _has_exception_text(record)
        record = _escaped(record)
        line = super().formatMessage(record)
        return line.removesuffix(f": {getattr(record, 'error_summary', '')}") if has_exception_text else line

    def formatException(self, *arguments: Any, **options: Any) -> str:  # noqa: N802
        return escape_lines(super().formatException(*arguments, **options))


class JSONFormatter(formatters.JSONFormatter):
    """oslo.log's JSON format, with ``error_summary`` only if the message does not say it already."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return redact(json.dumps(json.loads(line) | {"error_summary": ""}) if _has_exception_text(record) else line)


def _escaped(record: logging.LogRecord) -> logging.LogRecord:
    """A copy: other handlers format the record, too."""
    values = {
        name: escape_control(value) if isinstance(value, str) and name not in _COLORS else value
        for name, value in vars(record).items()
    }
    return logging.makeLogRecord(values)


def _has_exception_text(record: logging.LogRecord) -> bool:
    """Whether a message contains the text, or a line of it, of the exception that oslo.log would append."""
    if record.levelno < logging.WARNING:
        return False
    error = record.exc_info[1] if record.exc_info else sys.exception()
    if error is None:
        return False
    message = record.getMessage()
    return any(line and line in message for line in str(error).splitlines() or [repr(error)])
