# SPDX-License-Identifier: Apache-2.0
"""Reads the meters files of drivers, which say where the samples of each meter are in a telemetry service."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TypeVar

from distil import exceptions
from distil import yaml_file
from distil.telemetry.entry_parser import EntryParser
from distil.telemetry.meter_entry import MeterEntry
from distil.text import short_repr
from distil.yaml_file import Problem

_EntryT = TypeVar("_EntryT", bound=MeterEntry)


def load(path: str, parse: Callable[[EntryParser], _EntryT | None], fields: str) -> Sequence[_EntryT]:
    """Read a meters file.

    :param parse: parses an entry; what is wrong with it is added to the parser's problems.
    :param fields: what the service calls its fields, as the key of the file has it: ``attribute`` or ``label``.
    :raises ConfigurationError: with all problems of the file.
    """
    problems: list[str] = []
    document = yaml_file.read(path, problems)
    entries: dict[int, _EntryT] = {}
    if document is not None:
        found: list[Problem] = []
        if not isinstance(document.content, list) or not document.content:
            content = "nothing" if document.content is None else short_repr(document.content)
            found.append(Problem(None, f"must hold a list of meters, not {content}"))
        else:
            entries = _parse_entries(document.content, parse, fields, found)
        problems += [document.place(problem) for problem in found]
    if problems:
        raise exceptions.ConfigurationError(problems)
    return tuple(entries.values())


def _parse_entries(
    content: Sequence[object],
    parse: Callable[[EntryParser], _EntryT | None],
    fields: str,
    problems: list[Problem],
) -> dict[int, _EntryT]:
    entries: dict[int, _EntryT] = {}
    for number, document in enumerate(content, start=1):
        parser = EntryParser(document, fields)
        entry = None if parser.problems else parse(parser)
        problems += [Problem(number, f"entry {number} ({parser.title}): {text}") for text in parser.problems]
        if entry is not None and not parser.problems:
            entries[number] = entry
    problems += _conflicts(entries)
    return entries


def _conflicts(entries: Mapping[int, MeterEntry]) -> Iterator[Problem]:
    """The entries that repeat an earlier one, or contradict it: it has samples of the meter, or has none."""
    repeated: dict[str, int] = {}
    available: dict[tuple[str, bool], int] = {}
    for number, entry in entries.items():
        other = repeated.setdefault(repr(entry), number)
        if other < number:
            yield Problem(number, f"entry {number} ({entry.meter}): repeats entry {other}", other=other)
            continue
        is_available = entry.unavailable is None
        available.setdefault((entry.meter, is_available), number)
        contradicted = available.get((entry.meter, not is_available))
        if contradicted is not None:
            text = f"entry {number} ({entry.meter}): contradicts entry {contradicted}: one of them has no samples"
            yield Problem(number, text, other=contradicted)
