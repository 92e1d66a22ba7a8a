# SPDX-License-Identifier: Apache-2.0
"""JSON and text as columns keep them: readable by everyone, and never too long."""

import json
import math
from collections.abc import Mapping
from typing import Any

from distil import text

# In characters.
MAX_INFO = 60_000
MAX_SAMPLE = 100_000
_MAX_SHORTENED = 200

_MAX_DEPTH = 50


def to_json_value(value: object, depth: int = 0) -> Any:
    """The value in JSON's own types; what has no place there (NaN, Decimal, times, endless depth) becomes text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, Mapping | list | tuple) and depth >= _MAX_DEPTH:
        return text.COLUMN_CUT.strip()
    if isinstance(value, Mapping):
        return {str(key): to_json_value(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json_value(item, depth + 1) for item in value]
    return str(value)


def dump_info(info: Mapping[str, Any]) -> str:
    """A resource's info as a JSON object of at most :data:`MAX_INFO` characters.

    The longest values make way first: they are cut, with a mark.
    """
    values = to_json_value(info)
    document = _dump(values)
    return document if len(document) <= MAX_INFO else _dump(_shortened(values))


def load_info(document: str | None) -> dict[str, Any]:
    """The object that the text holds; an empty one where it holds none."""
    try:
        info = json.loads(document or "{}")
    except (ValueError, RecursionError):
        return {}
    return info if isinstance(info, dict) else {}


def dump_sample(document: Mapping[str, Any]) -> str:
    """A sample as JSON text, cut at :data:`MAX_SAMPLE` characters."""
    return text.fit_column(_dump(to_json_value(document)), MAX_SAMPLE)


def _shortened(info: Mapping[str, Any]) -> dict[str, Any]:
    room = MAX_INFO
    kept: dict[str, Any] = {}
    for key, value in sorted(info.items(), key=lambda item: len(_dump(item))):
        short_key, short_value = (text.fit_column(part, _MAX_SHORTENED) for part in (key, str(value)))
        for name, candidate in ((key, value), (short_key, short_value)):
            size = len(_dump([name, candidate])) + 2
            if size <= room:
                kept[name] = candidate
                room -= size
                break
    return kept


def _dump(value: object) -> str:
    # A lone surrogate gets the escape that JSON has for it too; NUL has it already.
    return text.escape_unstorable(json.dumps(value, ensure_ascii=False))
