# SPDX-License-Identifier: Apache-2.0
"""Values as an output format can show them safely: some are chosen by the owners of projects."""

import re
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from cliff import columns

from distil.escaping import escape_cell
from distil.escaping import escape_control

_SHELL_SPECIAL = re.compile(r"[$`\\]")


def printable(values: Sequence[Any], formatter: str) -> Sequence[Any]:
    """The values with what the format cannot represent escaped.

    :param formatter: name of the output format.
    """
    if formatter == "table":
        values = ["" if value is None else value for value in values]
    escape = _ESCAPES.get(formatter)
    return values if escape is None else [_escaped(value, escape) for value in values]


class _EscapedColumn(columns.FormattableColumn[Any]):
    """Another column whose text is escaped; it escapes what it shows in a table itself."""

    def __init__(self, column: columns.FormattableColumn[Any], escape: Callable[[str], str]) -> None:
        super().__init__(column)
        self._escape = escape

    def human_readable(self) -> str:
        text: str = self._value.human_readable()
        return text

    def machine_readable(self) -> str:
        return self._escape(str(self._value.machine_readable()))


def _escaped(value: Any, escape: Callable[[str], str]) -> Any:
    if isinstance(value, columns.FormattableColumn):
        return _EscapedColumn(value, escape)
    return escape(value) if isinstance(value, str) else value


def _escape_shell(value: str) -> str:
    """The text for double quotes of a shell; cliff escapes the quotes in it, and nothing else."""
    return _SHELL_SPECIAL.sub(r"\\\g<0>", escape_control(value))


# JSON, JSON Lines and YAML represent every character.
_ESCAPES = {"csv": escape_cell, "shell": _escape_shell, "table": escape_control, "value": escape_control}
