# SPDX-License-Identifier: Apache-2.0
"""From the rules files to the rules of rating: meter mappings and the transformers' options."""

import re
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import stevedore

from distil import distributions
from distil import exceptions
from distil import yaml_file
from distil.rating import mapping_parser
from distil.rating import rules_document
from distil.rating.mapping import MeterMapping
from distil.rating.rate import RatingRules
from distil.telemetry.coverage import Shortcoming
from distil.transformers.base import Transformer
from distil.yaml_file import Problem
from distil.yaml_file import YAMLFile


class LoadedRules(NamedTuple):
    """Rules, and the files that they are from.

    :param file: the meter mappings file, which has an entry for each mapping.
    :param document: the rules as text, see :mod:`distil.rating.rules_document`.
    """

    rules: RatingRules
    file: YAMLFile
    document: str

    def unused_keys(self) -> Sequence[str]:
        """A sentence for each key that is accepted and has no effect."""
        keys = sorted(mapping_parser.unused_keys(self.file.content))
        return [f"{self.file.path}: {key} has no effect and can be removed" for key in keys]

    def place(self, shortcoming: Shortcoming) -> str:
        """The shortcoming, with its place in the file."""
        entry = self.file.content[shortcoming.entry - 1]
        title = f"entry {shortcoming.entry} ({entry['meter']}, {entry['transformer']})"
        return self.file.place(Problem(shortcoming.entry, f"{title}: {shortcoming.text}"))


def load_rules(
    meter_mappings_file: str, transformer_file: str, trust_sources: Iterable[str], group: str = "collector"
) -> LoadedRules:
    """Load both files, with the installed transformers.

    :param trust_sources: regular expressions.
    :param group: of the option that has them, for messages.
    :raises ConfigurationError: with every problem of the files and of the expressions.
    """
    problems: list[str] = []
    mappings: tuple[MeterMapping, ...] = ()
    plugins = transformer_plugins()
    trust_sources = list(trust_sources)
    options, document = yaml_file.read(transformer_file, problems), yaml_file.read(meter_mappings_file, problems)
    sections: mapping_parser.Sections | None = None
    if options is not None:
        sections, found = mapping_parser.parse_transformer_options(options.content, plugins)
        problems += [options.place(problem) for problem in found]
    if document is not None:
        mappings, found = mapping_parser.parse_meter_mappings(document.content, plugins, sections)
        problems += [document.place(problem) for problem in found]
    trusted = [_pattern(source, group, problems) for source in trust_sources]
    if problems or document is None or options is None:
        raise exceptions.ConfigurationError(problems)
    rules = RatingRules(mappings, tuple(pattern for pattern in trusted if pattern))
    versions = distributions.versions_for(rules_document.transformer_names(document.content))
    text = rules_document.dump(document.content, options.content, trust_sources, versions)
    return LoadedRules(rules, document, text)


def transformer_plugins() -> mapping_parser.Plugins:
    """The installed transformers by name.

    :raises ConfigurationError: one of them cannot be loaded.
    """
    manager = stevedore.ExtensionManager[Transformer]("distil.transformer", on_load_failure_callback=_raise)
    return {extension.name: extension.plugin for extension in manager}


def _raise(_manager: object, entry_point: Any, error: BaseException) -> None:
    raise exceptions.ConfigurationError([f"transformer {entry_point.name} cannot be loaded: {error}"]) from error


def _pattern(source: str, group: str, problems: list[str]) -> re.Pattern[str] | None:
    if not source:
        problems.append(f"[{group}] trust_sources: contains an empty expression, which would trust every source")
        return None
    try:
        return re.compile(source)
    except re.error as error:
        problems.append(f"[{group}] trust_sources: {source!r} is not a valid regular expression: {error}")
        return None
