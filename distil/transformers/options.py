# SPDX-License-Identifier: Apache-2.0
"""The options of a transformer, read and validated once."""

import difflib
from collections.abc import Collection
from collections.abc import Mapping
from typing import Any

from distil.text import short_repr


class Options:
    """The options that an operator configured for a transformer.

    A transformer's constructor reads every option that it has. Afterwards ``problems`` lists invalid values and
    options that were not read, which are unknown; ``missing`` lists required options that are not set.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._known: list[str] = []
        self._invalid: list[str] = []
        self.missing: list[str] = []

    @property
    def problems(self) -> list[str]:
        unknown = [key for key in self._values if key not in self._known]
        return self._invalid + [unknown_name("key", key, self._known) for key in unknown]

    def string(self, key: str, default: str) -> str:
        """Read a string."""
        value = self._get(key, default)
        if isinstance(value, str):
            return value
        self._invalid.append(f"{key} must be text, not {short_repr(value)}")
        return default

    def string_list(self, key: str) -> tuple[str, ...]:
        """Read a required list of at least one string."""
        value = self._get(key, None)
        if key not in self._values:
            self.missing.append(f"{key} is missing")
        elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            return tuple(value)
        else:
            self._invalid.append(
                f"{key} must be a list of strings (in quotes where YAML reads others), not {short_repr(value)}"
            )
        return ()

    def _get(self, key: str, default: Any) -> Any:
        self._known.append(key)
        return self._values.get(key, default)


def unknown_name(kind: str, name: object, known: Collection[str]) -> str:
    """A message about an unknown name, with the nearest known one.

    :param kind: what is named: ``key``, ``transformer``.
    """
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known {kind}s: {', '.join(sorted(known)) or 'none'}"
    return f"unknown {kind} {short_repr(name)}; {hint}"
