# SPDX-License-Identifier: Apache-2.0
"""JSON and text as columns keep them: readable by everyone, and never too long."""

import json
import math
from collections.abc import Mapping
from typing import Any

CUT = " [cut]"
MAX_INFO = 60_000
MAX_SAMPLE = 100_000
MAX_REASON = 1_000
_MAX_DEPTH = 50
_SHORT = 200


def bounded(text: str, limit: int) -> str:
    """The text as every database can keep it, at most ``limit`` characters long, with a mark where it was cut."""
    clean = _encodable(text).replace("\x00", "\\x00")
    return clean if len(clean) <= limit else clean[: limit - len(CUT)] + CUT


def plain(value: object, depth: int = 0) -> Any:
    """The value in JSON's own types; what has no place there (NaN, Decimal, times, endless depth) becomes text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, Mapping | list | tuple) and depth >= _MAX_DEPTH:
        return CUT.strip()
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    return str(value)


def dump_info(info: Mapping[str, Any]) -> str:
    """A resource's info as a JSON object of at most :data:`MAX_INFO` characters.

    The longest values make way first: they are cut, with a mark.
    """
    text = _dump(plain(info))
    return text if len(text) <= MAX_INFO else _dump(_shortened(plain(info)))


def load_info(text: str | None) -> dict[str, Any]:
    """The object that the text holds; an empty one where it holds none."""
    try:
        info = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return info if isinstance(info, dict) else {}


def dump_sample(document: Mapping[str, Any]) -> str:
    """A sample as JSON text, cut at :data:`MAX_SAMPLE` characters."""
    return bounded(_dump(plain(document)), MAX_SAMPLE)


def _shortened(info: Mapping[str, Any]) -> dict[str, Any]:
    room = MAX_INFO
    kept: dict[str, Any] = {}
    for key, value in sorted(info.items(), key=lambda item: len(_dump(item))):
        for name, candidate in ((key, value), (bounded(key, _SHORT), bounded(str(value), _SHORT))):
            size = len(_dump([name, candidate])) + 2
            if size <= room:
                kept[name] = candidate
                room -= size
                break
    return kept


def _dump(value: object) -> str:
    return _encodable(json.dumps(value, ensure_ascii=False))


def _encodable(text: str) -> str:
    r"""A lone half of a surrogate pair, which no database takes, becomes its escape ``\ud800``, as JSON has it too."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
