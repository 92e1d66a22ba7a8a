# SPDX-License-Identifier: Apache-2.0
"""The options of a transformer, read once and wholly checked."""

import difflib
from collections.abc import Collection
from collections.abc import Mapping
from typing import Any


class Options:
    """What an operator wrote for a transformer.

    A transformer's constructor asks for every option that it has. What was wrong with the answers, and what nobody
    asked for, is in ``problems`` afterwards; what has to be there and is not, in ``missing``.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._asked: list[str] = []
        self._wrong: list[str] = []
        self.missing: list[str] = []

    @property
    def problems(self) -> list[str]:
        unknown = [key for key in self._values if key not in self._asked]
        return self._wrong + [unknown_key(key, self._asked) for key in unknown]

    def string(self, key: str, default: str) -> str:
        """Text."""
        value = self._get(key, default)
        if isinstance(value, str):
            return value
        self._wrong.append(f"{key} must be text, not {value!r}")
        return default

    def string_list(self, key: str) -> tuple[str, ...]:
        """A list of at least one text, which has to be there."""
        value = self._get(key, None)
        if key not in self._values:
            self.missing.append(f"{key} is missing")
        elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            return tuple(value)
        else:
            self._wrong.append(f"{key} must be a list of texts, quoted where YAML reads something else, not {value!r}")
        return ()

    def _get(self, key: str, default: Any) -> Any:
        self._asked.append(key)
        return self._values.get(key, default)


def unknown_key(key: object, known: Collection[str]) -> str:
    """The sentence about a key that nobody knows, with the nearest known one."""
    near = difflib.get_close_matches(str(key), known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(sorted(known)) or 'none'}"
    return f"unknown key {key!r}; {hint}"
