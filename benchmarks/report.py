# SPDX-License-Identifier: Apache-2.0
"""Prints what ``python -m benchmarks --json FILE`` wrote as a part of the documentation."""

import argparse
import json
import pathlib
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from benchmarks.results import HEADINGS
from benchmarks.results import rows


def lines(document: Any) -> Iterator[str]:
    """In reStructuredText."""
    yield ".. Made by python -m benchmarks.report; do not edit."
    yield ""
    yield from _table(HEADINGS, rows(document["parts"]))
    yield ""
    for name, values in (("Machine", "machine"), ("Versions", "versions"), ("Scale", "scale")):
        yield from _table((name, ""), [(key, _text(value)) for key, value in document[values].items()])
        yield ""
    yield f"Measured at {document['at']}."


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _table(headings: Iterable[str], body: Iterable[Iterable[str]]) -> Iterator[str]:
    yield ".. list-table::"
    yield "   :header-rows: 1"
    for row in (headings, *body):
        yield ""
        for number, cell in enumerate(row):
            yield f"   {' ' if number else '*'} - {cell}".rstrip()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("file", type=pathlib.Path)
    print("\n".join(lines(json.loads(parser.parse_args().file.read_text(encoding="utf-8")))))


if __name__ == "__main__":
    main()
