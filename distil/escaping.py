# SPDX-License-Identifier: Apache-2.0
"""Text from outside made safe to show: it stays on its line and has no effect on terminals and spreadsheets."""

import re

# Control characters, separators of lines and paragraphs, what changes the direction of text, and lone surrogates, which
# no encoding can write.
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_FORMULA = re.compile("[=+@\uff1d\uff0b\uff0d\uff20-]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


def escape_control(value: str) -> str:
    """The text with control characters escaped: one line, without effect on a terminal."""
    return _CONTROL.sub(lambda match: ascii(match[0])[1:-1], value)


def escape_lines(value: str) -> str:
    """Text of several lines with all other control characters escaped."""
    return "\n".join(map(escape_control, value.split("\n")))


def escape_cell(value: str) -> str:
    """The text as a cell of a table that a spreadsheet may open, which must not take it for a formula.

    Such text gets an apostrophe in front. Numbers have none.
    """
    escaped = escape_control(value)
    is_formula = _FORMULA.match(escaped.lstrip()) and not _NUMBER.fullmatch(escaped)
    return f"'{escaped}" if is_formula else escaped
