# SPDX-License-Identifier: Apache-2.0
"""Rules as a text that is kept with the windows that were rated by them, and from which they can be made again.

It is JSON in ASCII with sorted keys::

    {"mappings": [...], "transformers": {...}, "trust_sources": [...], "versions": {"distil": "1.0.0", ...}}

with the entries of the meter mappings file, the sections of the transformer file, the trusted sources, and the versions
of the distributions that the usage depends on: ours, that of the filters' language, and those of other transformers.
"""

import datetime
import json
import re
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from distil import exceptions
from distil.rating import mapping_parser
from distil.rating.rate import RatingRules


class ParsedRules(NamedTuple):
    """The rules of a document.

    :param entries: the entry of each mapping, as in the meter mappings file.
    :param versions: of the distributions that the usage depended on, by name.
    """

    rules: RatingRules
    entries: Sequence[Mapping[str, Any]]
    versions: Mapping[str, str]


def dump(mappings: Any, transformers: Any, trust_sources: Sequence[str], versions: Mapping[str, str]) -> str:
    """The text of rules whose files could be parsed.

    :param mappings: content of the meter mappings file.
    :param transformers: content of the transformer file.
    :param versions: of the distributions that the usage depends on, by name.
    """
    document = {
        "mappings": _plain(mappings),
        "transformers": _plain(transformers or {}),
        "trust_sources": list(trust_sources),
        "versions": dict(versions),
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


def transformer_names(mappings: Any) -> set[str]:
    """The names of the transformers that the entries of a meter mappings file use."""
    return {str(entry["transformer"]) for entry in mappings}


def _plain(value: Any) -> Any:
    """The value in JSON's types, with the texts that the parsers make of other keys and values."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime.date):  # and times; a service, for example, that looks like one
        return str(value)
    return value
