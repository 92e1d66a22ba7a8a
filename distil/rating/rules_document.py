# SPDX-License-Identifier: Apache-2.0
"""Rules as a text that is kept with the windows that were rated by them, and from which they can be made again.

It is JSON in ASCII with sorted keys::

    {"mappings": [...], "transformers": {...}, "trust_sources": [...], "versions": {"distil": "1.0.0", ...}}

with the entries of the meter mappings file, the sections of the transformer file, the trusted sources, and the versions
of the distributions that the usage depends on: ours, that of the filters' language, and those of other transformers.
"""

import datetime
import importlib.metadata
import json
import re
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from distil import exceptions
from distil.rating import mapping_parser
from distil.rating.rate import RatingRules

_GROUP = "distil.transformer"
_DISTRIBUTIONS = ("distil", "jmespath")


class ParsedRules(NamedTuple):
    """The rules of a document.

    :param entries: the entry of each mapping, as in the meter mappings file.
    :param versions: of the distributions that the usage depended on, by name.
    """

    rules: RatingRules
    entries: Sequence[Mapping[str, Any]]
    versions: Mapping[str, str]

    def version_changes(self) -> list[str]:
        """A sentence for each distribution that has another version now, so that it may rate otherwise."""
        changes = []
        for name, version in self.versions.items():
            now = _version(name)
            if now != version:
                changes.append(f"{name} was {version} and is {now or 'not installed'}")
        return changes


def dump(mappings: Any, transformers: Any, trust_sources: Sequence[str]) -> str:
    """The text of rules whose files could be parsed.

    :param mappings: content of the meter mappings file.
    :param transformers: content of the transformer file.
    """
    names = {str(entry["transformer"]) for entry in mappings}
    document = {
        "mappings": _plain(mappings),
        "transformers": _plain(transformers or {}),
        "trust_sources": list(trust_sources),
        "versions": _versions(names),
    }
    return json.dumps(document, sort_keys=True)


def parse(body: str, plugins: mapping_parser.Plugins) -> ParsedRules:
    """The rules of a document.

    :param plugins: the installed transformers by name.
    :raises ConfigurationError: these versions of the programs cannot use the rules.
    """
    document = json.loads(body)
    options = mapping_parser.parse_transformer_options(document["transformers"], plugins)
    parsed = mapping_parser.parse_meter_mappings(document["mappings"], plugins, options.sections)
    problems = [str(problem) for problem in (*options.problems, *parsed.problems)]
    if problems:
        raise exceptions.ConfigurationError(problems)
    trusted = tuple(map(re.compile, document["trust_sources"]))
    return ParsedRules(RatingRules(parsed.mappings, trusted), document["mappings"], document["versions"])


def meters(body: str) -> frozenset[str]:
    """The meters of a document's mappings, which these versions of the programs need not be able to use."""
    return frozenset(entry["meter"] for entry in json.loads(body)["mappings"])


def with_present_versions(body: str) -> str:
    """The same rules with the versions of the programs as they are installed now."""
    document = json.loads(body)
    names = {str(entry["transformer"]) for entry in document["mappings"]}
    return json.dumps(document | {"versions": _versions(names)}, sort_keys=True)


def _plain(value: Any) -> Any:
    """The value in JSON's types, with the texts that the parsers make of other keys and values."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime.date):  # and times; a service, for example, that looks like one
        return str(value)
    return value


def _versions(transformers: set[str]) -> dict[str, str]:
    names = set(_DISTRIBUTIONS)
    for entry_point in importlib.metadata.entry_points(group=_GROUP):
        if entry_point.name in transformers and entry_point.dist is not None:
            names.add(entry_point.dist.name)
    return {name: version for name in names if (version := _version(name)) is not None}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
