# SPDX-License-Identifier: Apache-2.0
"""Finds meter mappings that bill the same samples for the same service twice."""

from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Mapping
from typing import NamedTuple

from distil.rating.mapping import CONTAINER
from distil.rating.mapping import MeterMapping


class Repeated(NamedTuple):
    """Numbers of two entries of a meter mappings file."""

    number: int
    first: int


def find_repeated(mappings: Mapping[int, MeterMapping]) -> Iterator[Repeated]:
    """The entries that bill what an earlier entry bills: their usage would add up.

    They are equal in all that usage depends on, with their filters in any order. What only describes the resource, type
    and metadata, may differ, and so may the service if the transformer does not use it.

    :param mappings: meter mappings by the number of their entry.
    """
    groups: dict[object, list[int]] = defaultdict(list)
    for number, mapping in mappings.items():
        group = groups[_key(mapping)]
        first = next((other for other in group if _have_equal_transformers(mapping, mappings[other])), None)
        if first is None:
            group.append(number)
        else:
            yield Repeated(number, first)


def _key(mapping: MeterMapping) -> object:
    service = mapping.service if mapping.transformer.uses_service else None
    is_container = mapping.type == CONTAINER  # has an id of its own
    filters = frozenset(mapping.filters)
    res_id_template = mapping.res_id_template or "%s"
    return mapping.meter, service, mapping.unit, filters, mapping.volume, res_id_template, is_container


def _have_equal_transformers(mapping: MeterMapping, other: MeterMapping) -> bool:
    one, two = mapping.transformer, other.transformer
    return type(one) is type(two) and getattr(one, "__dict__", one) == getattr(two, "__dict__", two)
