# SPDX-License-Identifier: Apache-2.0
"""Compares meter mappings with what a telemetry driver serves: what is missing must not become a smaller bill."""

from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

from distil.rating.mapping import CONTAINER
from distil.rating.mapping import MeterMapping
from distil.telemetry.driver import ServedMeter
from distil.telemetry.driver import TelemetryDriver
from distil.text import short_repr


class Shortcoming(NamedTuple):
    """What the samples of a meter lack for a meter mapping.

    :param entry: number of the mapping, from 1.
    :param is_error: whether usage would be wrong or missing; else, an operator should know, and may mean it.
    """

    entry: int
    text: str
    is_error: bool


def find_shortcomings(
    mappings: Sequence[MeterMapping], driver: TelemetryDriver, meters_file: str | None
) -> Iterator[Shortcoming]:
    """Compare each mapping with the driver.

    :param meters_file: the file that says what the driver serves, with its option; None: there is none.
    """
    for entry, mapping in enumerate(mappings, start=1):
        served = driver.served(mapping.meter)
        if served is None:
            remedy = f", or add an entry for the meter to {meters_file}" if meters_file else ""
            text = f"the driver serves no such meter, so nothing would be billed; remove the mapping{remedy}"
            yield Shortcoming(entry, text, is_error=True)
        elif served.unavailable is not None:
            yield Shortcoming(entry, f"nothing is billed by it: {served.unavailable}", is_error=False)
        else:
            comparison = _Comparison(mapping, served, meters_file)
            yield from (Shortcoming(entry, text, is_error=True) for text in comparison.errors())
            yield from (Shortcoming(entry, text, is_error=False) for text in comparison.warnings())


class _Comparison:
    """Compares a mapping with what the samples of its meter hold."""

    def __init__(self, mapping: MeterMapping, served: ServedMeter, meters_file: str | None) -> None:
        self._mapping = mapping
        self._served = served
        self._remedy = f"; change the meter's entry in {meters_file}, or remove the mapping" if meters_file else ""
        self._required = mapping.transformer.required_metadata()
        self._filters = [sorted(expression.metadata_keys) for expression in mapping.filters]
        volume = mapping.volume if isinstance(mapping.volume, tuple) else ()
        self._volumes = [sorted(expression.metadata_keys) for expression in volume]

    def errors(self) -> Iterator[str]:
        """What makes usage wrong or missing."""
        if self._mapping.transformer.adds_volumes and not self._served.adds_up:
            yield f"it adds volumes, and those of these samples repeat or average what was measured{self._remedy}"
        for keys in self._required:
            if self._has_none(keys):
                yield f"it needs {_names(keys, 'or')}, which these samples do not have{self._remedy}"
        for number, keys in enumerate(self._filters, start=1):
            if self._has_none(keys):
                yield f"filters[{number}] reads {_names(keys, 'and')}, which these samples do not have{self._remedy}"
        if self._volumes and all(map(self._has_none, self._volumes)):
            sources = [key for source in self._volumes for key in source]
            yield f"its volume is in {_names(sources, 'or')}, which these samples do not have{self._remedy}"

    def warnings(self) -> Iterator[str]:
        """What is billed as it should be only if the operator meant it."""
        for key in self._mapping.rated_metadata_keys:
            if key not in self._served.constants:
                continue
            constant = self._served.constants[key]
            value = "null" if constant is None else short_repr(constant)
            yield f"metadata.{key} is {value} in all samples, as configured and not as measured: no other value is seen"
        for number, keys in enumerate(self._filters, start=1):
            missing = [key for key in keys if self._has_none([key])]
            if missing and len(missing) < len(keys):
                yield f"filters[{number}] reads {_names(missing, 'and')}, which these samples do not have"
        fields = [field for field in self._mapping.metadata if self._has_none(field.sources)]
        if self._mapping.type == CONTAINER:
            # Containers are named by their ids.
            fields = [field for field in fields if field.name != "name"]
        if fields:
            names = ", ".join(field.name for field in fields)
            sources = dict.fromkeys(key for field in fields for key in field.sources)
            yield f"resources are stored without {names}: these samples do not have {_names([*sources], 'or')}"

    def _has_none(self, keys: Sequence[str]) -> bool:
        """Whether there are keys, and the samples are known to have none of them."""
        return bool(keys) and self._served.metadata is not None and self._served.metadata.isdisjoint(keys)


def _names(keys: Sequence[str], conjunction: str) -> str:
    """The keys as an operator writes them in expressions."""
    return f" {conjunction} ".join(f"metadata.{key}" for key in keys)
