# SPDX-License-Identifier: Apache-2.0
"""Rules that are stored with windows, as an operator reads them."""

import json
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import yaml

from distil.rating import mapping_parser

_SHORT_DIGITS = 12
_MAX_COLUMNS = 120


def short_digest(digest: str) -> str:
    """The first digits of a document's digest, enough to tell it from others."""
    return digest.partition(":")[2][:_SHORT_DIGITS]


def rules_lines(body: str) -> Sequence[str]:
    """The lines of a document of rules, as YAML."""
    document = json.loads(body)
    return yaml_lines({**document, "mappings": list(map(sorted_entry, document["mappings"]))})


def sorted_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of the meter mappings file with its keys in the order in which the file's documentation has them."""
    known = [key for key in mapping_parser.KEYS if key in entry]
    return {key: entry[key] for key in (*known, *sorted(entry.keys() - set(known)))}


def yaml_lines(value: Any) -> Sequence[str]:
    """The lines of a value of JSON's types, as YAML."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_MAX_COLUMNS)
    return text.splitlines()


class _Dumper(yaml.SafeDumper):
    """Writes lists of plain values in one line each."""


def _represent_list(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.Node:
    is_plain = not any(isinstance(item, dict | list) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=is_plain)


_Dumper.add_representer(list, _represent_list)
