# SPDX-License-Identifier: Apache-2.0
"""Strategies of property tests."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from distil import model

NASTY_NUMBERS = (
    "1e400", "1e-400", "1e999999999999999999", "1e-999999999999999999", "1e99999999999999999999",
    "0e999999999999999999", "0x10", "1_000", "1,000", "١٢", " 5 ", "-0", "+5", ".5", "5.", "", " ", "NaN", "sNaN",
    "-Infinity", "inf", "None", True, False, 10**30, 10**4000, -1, -0.0, 1e22, 1e-7, float("nan"), float("inf"),
)  # fmt: skip
NASTY_TEXTS = ("", "\0", "\ud800", "x" * 5000, "%s", "%", "a/b", "/", "a/", "a/b/c", "a/?#", "None", "🐌" * 300)


def volumes() -> st.SearchStrategy[Decimal]:
    """Draw volumes that the database's column can represent exactly."""
    return st.decimals(min_value=0, max_value=10**12, places=model.SCALE)


def windows() -> st.SearchStrategy[int]:
    """Draw lengths of windows, in minutes."""
    return st.integers(min_value=1, max_value=24 * 60)


def json_values() -> st.SearchStrategy[Any]:
    """Draw any JSON value."""
    text = st.text(st.characters(exclude_categories=()), max_size=10)
    numbers = st.integers(-(10**40), 10**40) | st.floats()
    leaves = st.none() | st.booleans() | numbers | text | st.sampled_from(NASTY_NUMBERS) | st.sampled_from(NASTY_TEXTS)
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=5
    )


def deepest_json() -> Any:
    """Return nested lists, as deep as this Python can parse from JSON, and at most 5,000 levels."""
    for depth in range(5000, 0, -1):
        try:
            return json.loads("[" * depth + "]" * depth)
        except RecursionError:
            continue
    raise AssertionError("no list can be parsed")
