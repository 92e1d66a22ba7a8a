# SPDX-License-Identifier: Apache-2.0
"""From the rules files to the rules of rating: meter mappings and the transformers' options."""

import dataclasses
import re
from collections.abc import Hashable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

import stevedore
import yaml
from oslo_log import log

from distil import exceptions
from distil.rating import mapping_parser
from distil.rating.rate import RatingRules
from distil.transformers.base import Transformer

LOG = log.getLogger(__name__)


def load_rules(
    meter_mappings_file: str,
    transformer_file: str,
    trust_sources: Iterable[str],
    group: str = "collector",
    announce: bool = True,
) -> RatingRules:
    """Load both files, with the installed transformers.

    :param trust_sources: regular expressions.
    :param group: of the option that has them, for messages.
    :param announce: log keys that are accepted and have no effect.
    :raises ConfigurationError: with every problem of the files and of the expressions.
    """
    problems: list[str] = []
    plugins = _plugins()
    options, document = _read(transformer_file, problems), _read(meter_mappings_file, problems)
    sections: mapping_parser.Sections | None = None
    if options is not None:
        sections, found = mapping_parser.parse_transformer_options(options.content, plugins)
        problems += [options.place(problem) for problem in found]
    if document is not None:
        mappings, found = mapping_parser.parse_meter_mappings(document.content, plugins, sections)
        problems += [document.place(problem) for problem in found]
    trusted = [_pattern(source, group, problems) for source in trust_sources]
    if problems:
        raise exceptions.ConfigurationError(problems)
    for key in sorted(mapping_parser.unused_keys(document.content)) if announce and document else ():
        LOG.warning("%s: %s has no effect and can be removed.", meter_mappings_file, key)
    return RatingRules(mappings, tuple(pattern for pattern in trusted if pattern))


def _plugins() -> mapping_parser.Plugins:
    manager = stevedore.ExtensionManager[Transformer]("distil.transformer", on_load_failure_callback=_raise)
    return {extension.name: extension.plugin for extension in manager}


def _raise(_manager: object, entry_point: Any, error: BaseException) -> None:
    raise exceptions.ConfigurationError([f"transformer {entry_point.name} cannot be loaded: {error}"]) from error


@dataclasses.dataclass(frozen=True)
class _Document:
    """A YAML file.

    :param lines: line numbers of the entries of its list, by entry number, or of its mapping's sections, by name.
    """

    path: str
    content: object
    lines: Mapping[int | str | None, int]

    def place(self, problem: mapping_parser.Problem) -> str:
        """The problem, with its place in the file."""
        line = self.lines.get(problem.entry)
        return f"{self.path}: {problem.text}" if line is None else f"{self.path}:{line}: {problem.text}"


def _read(path: str, problems: list[str]) -> _Document | None:
    try:
        with open(path, encoding="utf-8") as file:
            loader = _Loader(file)
            node = loader.get_single_node()
            content = None if node is None else loader.construct_document(node)
            return _Document(path, content, _lines(node))
    except OSError as error:
        problems.append(f"{path} cannot be read: {error.strerror}")
    except (yaml.YAMLError, RecursionError, TypeError, ValueError) as error:  # constructors of values raise the others
        problems.append(f"{path} is not valid YAML: {' '.join(str(error).split())}")
    return None


def _lines(node: yaml.Node | None) -> dict[int | str | None, int]:
    if isinstance(node, yaml.SequenceNode):
        return {number: entry.start_mark.line + 1 for number, entry in enumerate(node.value, start=1)}
    if isinstance(node, yaml.MappingNode):
        return {key.value: key.start_mark.line + 1 for key, _ in node.value if isinstance(key, yaml.ScalarNode)}
    return {}


def _pattern(source: str, group: str, problems: list[str]) -> re.Pattern[str] | None:
    if not source:
        problems.append(f"[{group}] trust_sources: contains an empty expression, which would trust every source")
        return None
    try:
        return re.compile(source)
    except re.error as error:
        problems.append(f"[{group}] trust_sources: {source!r} is not a valid regular expression: {error}")
        return None


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, except that a duplicate key is an error; otherwise the last one would win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = (key_node.tag, key_node.value) if isinstance(key_node, yaml.ScalarNode) else key_node
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"duplicate key {key_node.value!r}", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)
