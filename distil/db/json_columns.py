# SPDX-License-Identifier: Apache-2.0
"""JSON as columns hold it: readable, and limited in length."""

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
    """The value in JSON's types. Any other value (NaN, Decimal, times) and excessive depth become text."""
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

    If it is longer, the longest values are truncated.
    """
    values = to_json_value(info)
    document = _dump(values)
    return document if len(document) <= MAX_INFO else _dump(_shortened(values))


def load_info(document: str | None) -> dict[str, Any]:
    """The JSON object in the document, or an empty one if there is none."""
    try:
        info = json.loads(document or "{}")
    except (ValueError, RecursionError):
        return {}
    return info if isinstance(info, dict) else {}


def dump_sample(document: Mapping[str, Any]) -> str:
    """A sample as JSON, truncated to :data:`MAX_SAMPLE` characters."""
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
    # JSON escapes NUL itself, but not lone surrogates.
    return text.escape_unstorable(json.dumps(value, ensure_ascii=False))
