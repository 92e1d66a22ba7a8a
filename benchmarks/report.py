# SPDX-License-Identifier: Apache-2.0
"""Writes the report: figures.json with everything measured, figures.txt with the table and its conditions."""

import json
import pathlib
from collections.abc import Iterator
from typing import Any

from benchmarks.results import format_table

DEFAULT_DIRECTORY = pathlib.Path(__file__).parents[1] / "build" / "benchmark"


def write_report(document: dict[str, Any], directory: pathlib.Path) -> None:
    """Create the directory if it does not exist, and replace both files in it."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "figures.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (directory / "figures.txt").write_text("\n".join(_lines(document)) + "\n", encoding="utf-8")


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield format_table(document["parts"])
    for group in ("machine", "versions", "scale"):
        yield ""
        yield f"{group}:"
        yield from (f"  {name}: {_format_value(value)}" for name, value in document[group].items())
    yield ""
    yield f"measured at {document['at']}"


def _format_value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
