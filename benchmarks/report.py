# SPDX-License-Identifier: Apache-2.0
"""Writes what was measured: figures.json with everything, figures.txt with the table and how it came about."""

import json
import pathlib
from collections.abc import Iterator
from typing import Any

from benchmarks.results import table

DIRECTORY = pathlib.Path(__file__).parents[1] / "build" / "benchmark"


def write(document: dict[str, Any], directory: pathlib.Path) -> None:
    """Write both files, in the place of older ones. The directory is made if need be."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "figures.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (directory / "figures.txt").write_text("\n".join(_lines(document)) + "\n", encoding="utf-8")


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield table(document["parts"])
    for group in ("machine", "versions", "scale"):
        yield ""
        yield f"{group}:"
        yield from (f"  {name}: {_text(value)}" for name, value in document[group].items())
    yield ""
    yield f"measured at {document['at']}"


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
