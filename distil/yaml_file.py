# SPDX-License-Identifier: Apache-2.0
"""Reads an operator's YAML file: strictly, within bounds, and with the lines of its entries."""

import dataclasses
import re
from collections.abc import Hashable
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

import yaml

from distil.text import short_repr

# Far above any file of rules; a file within them is read in seconds.
_MAX_BYTES = 1024 * 1024
_MAX_LEVELS = 50
_MAX_NODES = 200_000  # with each alias replaced by what it refers to
_MAX_NUMBER_LENGTH = 40

_MERGE = "tag:yaml.org,2002:merge"
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_OCTAL = re.compile(r"[-+]?0[0-7_]+")


@dataclasses.dataclass(frozen=True)
class Problem:
    """A problem in a file.

    :param entry: number (from 1) of the entry in a list, or name of the section in a mapping; None: the whole file.
    :param other: another entry, with which the text ends.
    """

    entry: int | str | None
    text: str
    other: int | None = None

    def __str__(self) -> str:
        return self.text


@dataclasses.dataclass(frozen=True)
class YAMLFile:
    """A YAML file.

    :param lines: line numbers of the entries of its list, by entry number, or of its mapping's sections, by name.
    """

    path: str
    content: Any
    lines: Mapping[int | str | None, int]

    def place(self, problem: Problem) -> str:
        """The problem, with its place in the file."""
        line = self.lines.get(problem.entry)
        text = problem.text if problem.other is None else f"{problem.text} (line {self.lines.get(problem.other)})"
        return f"{self.path}: {text}" if line is None else f"{self.path}:{line}: {text}"


def read(path: str, problems: list[str]) -> YAMLFile | None:
    """Read a file; None if that fails, and the reason is added to the problems."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        problems.append(f"{path} cannot be read: {error.strerror}")
        return None
    if len(data) > _MAX_BYTES:
        problems.append(f"{path} is not a file of rules: it has more than {_MAX_BYTES} bytes")
        return None
    try:
        return _parse(path, data.decode())
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        problems.append(f"{path} is not valid YAML: {' '.join(str(error).split())}")
        return None


def _parse(path: str, text: str) -> YAMLFile:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        content = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        raise yaml.YAMLError(loader.describe(error)) from error
    return YAMLFile(path, content, {entry.key: entry.line for entry in loader.entries})


class _Entry(NamedTuple):
    """An entry of the file's list, by number, or a section of its mapping, by name; and its line."""

    key: int | str
    line: int

    def __str__(self) -> str:
        return f"entry {self.key}" if isinstance(self.key, int) else f"section {short_repr(self.key)}"


class _Size(NamedTuple):
    """How large a node is, with each alias replaced by what it refers to."""

    nodes: int
    levels: int


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, which refuses what would be read differently from how it looks, or without bound.

    A later duplicate key would silently replace the first. YAML 1.1 has numbers in base 60 and octal ones with a
    leading zero: ``1:30`` is 90, ``010`` is 8.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.entries: list[_Entry] = []
        self._level = 0
        self._sizes: dict[int, _Size] = {}

    def describe(self, error: yaml.MarkedYAMLError) -> str:
        """The error with the line and the entry that it is in."""
        problem = str(error.problem)
        if error.context and error.context_mark:
            problem = f"{error.context} that begins in line {error.context_mark.line + 1}: {problem}"
        mark = error.problem_mark or error.context_mark
        if mark is None:
            return problem
        before = [entry for entry in self.entries if entry.line <= mark.line + 1]
        place = f", {before[-1]}" if before else ""
        return f"line {mark.line + 1}, column {mark.column + 1}{place}: {problem}"

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if self._level > _MAX_LEVELS:
            raise _error(f"nested more than {_MAX_LEVELS} levels deep", event)
        line = event.start_mark.line + 1
        if self._level == 1 and isinstance(index, int):
            self.entries.append(_Entry(index + 1, line))
        self._level += 1
        node = super().compose_node(parent, index)
        self._level -= 1
        if self._level == 1 and index is None and isinstance(node, yaml.ScalarNode):
            self.entries.append(_Entry(node.value, line))
        if not isinstance(event, yaml.AliasEvent):
            self._sizes[id(node)] = self._measure(node)
        elif id(node) not in self._sizes:
            raise _error("an alias refers to what contains it", event)
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[Hashable] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # cannot be a key, which the construction reports
            value = _MERGE if key.tag == _MERGE else self.construct_object(key)
            if isinstance(value, Hashable):
                if value in seen:
                    raise _error(f"duplicate key {short_repr(key.value)}", key)
                seen.add(value)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if node.tag in _NUMBERS and isinstance(node, yaml.ScalarNode):
            _require_plain_number(node)
        try:
            return super().construct_object(node, deep)
        except (AttributeError, LookupError, TypeError, ValueError) as error:  # of a value that its tag does not allow
            raise _error(f"{short_repr(node.value)} is not a valid {node.tag.rpartition(':')[2]}", node) from error

    def _measure(self, node: Any) -> _Size:
        children = node.value if isinstance(node, yaml.CollectionNode) else []
        if isinstance(node, yaml.MappingNode):
            children = [child for pair in children for child in pair]
        sizes = [self._sizes[id(child)] for child in children]
        size = _Size(1 + sum(size.nodes for size in sizes), 1 + max((size.levels for size in sizes), default=0))
        if size.nodes > _MAX_NODES or size.levels > _MAX_LEVELS + 1:
            raise _error(f"its aliases make it larger than {_MAX_NODES} values or {_MAX_LEVELS} levels", node)
        return size


def _require_plain_number(node: yaml.ScalarNode) -> None:
    shown = short_repr(node.value)
    if len(node.value) > _MAX_NUMBER_LENGTH:
        raise _error(f"the number {shown} has more than {_MAX_NUMBER_LENGTH} characters", node)
    if ":" in node.value:
        raise _error(f"{shown} is a number in base 60 in YAML 1.1; put it in quotes if it is text", node)
    if _OCTAL.fullmatch(node.value):
        raise _error(f"{shown} is an octal number in YAML 1.1; put it in quotes if it is text", node)


def _error(problem: str, place: Any) -> yaml.MarkedYAMLError:
    """:param place: the node or event of the problem."""
    return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)
