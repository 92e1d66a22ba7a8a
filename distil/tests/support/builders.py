# SPDX-License-Identifier: Apache-2.0
"""Windows, samples and meter mappings with defaults for what a test does not specify."""

import datetime
import functools
import re
from collections.abc import Iterable
from collections.abc import Mapping
from decimal import Decimal
from importlib import metadata
from typing import Any

from distil import exceptions
from distil import model
from distil.rating import mapping_parser
from distil.rating import rate
from distil.rating import sample_parser
from distil.transformers.base import Transformer
from distil.transformers.lookups import Lookups

PROJECT = "p1"
METER = "m1"
SERVICE = "s1"
RESOURCE = "r1"
START = datetime.datetime(2026, 3, 1, 10, tzinfo=datetime.UTC)

Entry = dict[str, Any]
Document = dict[str, Any]
Sections = Mapping[str, Mapping[str, Any]]


def window(minutes: int = 60) -> model.Window:
    """Return a window that starts at START."""
    return model.Window(START, START + datetime.timedelta(minutes=minutes))


HOUR = window()


def at(minute: float) -> str:
    """Return a time after START, as a telemetry service formats it."""
    return (START + datetime.timedelta(minutes=minute)).isoformat()


def document(minute: float = 0, **fields: Any) -> Document:
    """Return a sample, as in the response of a telemetry service."""
    known = {
        "meter": METER,
        "resource_id": RESOURCE,
        "timestamp": at(minute),
        "volume": 1,
        "unit": "",
        "source": "test",
    }
    return {**known, "metadata": {}, **fields}


def without(document: Document, key: str) -> Document:
    return {name: value for name, value in document.items() if name != key}


def entry(transformer: str = "max", **keys: Any) -> Entry:
    """Return an entry of a meter mappings file."""
    return {"meter": METER, "service": SERVICE, "unit": "hour", "transformer": transformer, **keys}


@functools.cache
def plugins() -> dict[str, type[Transformer]]:
    """Return the installed transformers by name."""
    return {point.name: point.load() for point in metadata.entry_points(group="distil.transformer")}


def rules(entries: Iterable[Entry], sections: Sections | None = None, trusted: Iterable[str] = ()) -> rate.RatingRules:
    """Return the rules of a meter mappings file.

    :raises ConfigurationError: the file has errors.
    """
    options, problems = mapping_parser.parse_transformer_options(sections or {}, plugins())
    mappings, found = mapping_parser.parse_meter_mappings(list(entries), plugins(), options)
    if problems or found:
        raise exceptions.ConfigurationError(map(str, [*problems, *found]))
    return rate.RatingRules(mappings, tuple(re.compile(pattern) for pattern in trusted))


def rated(
    entries: Entry | Iterable[Entry],
    documents: Iterable[Any],
    sections: Sections | None = None,
    *,
    window: model.Window = HOUR,
    lookups: Lookups | None = None,
    trusted: Iterable[str] = (),
) -> model.RatedWindow:
    """Rate samples, each of the meter that it names, by the entries of a meter mappings file."""
    made = rules([entries] if isinstance(entries, dict) else entries, sections, trusted)
    samples = [sample_parser.parse_sample(document, PROJECT, _meter(document)) for document in documents]
    return rate.rate(made, samples, window, lookups or Lookups())


def _meter(document: Any) -> str:
    return str(document.get("meter", METER)) if isinstance(document, dict) else METER


def volumes(result: model.RatedWindow) -> dict[tuple[str, str], Decimal]:
    """Return the volumes by service and resource id."""
    return {(usage.service, usage.resource_id): usage.volume for usage in result.usage}


def infos(result: model.RatedWindow) -> dict[str, dict[str, Any]]:
    """Return the info of resources by id."""
    return {resource.id: dict(resource.info) for resource in result.resources}


def reasons(result: model.RatedWindow) -> list[str]:
    return [rejected.reason for rejected in result.rejected]


class Names(dict[str, str]):
    """A look-up table that records the keys that were looked up."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked: list[str] = []

    def get(self, key: str, default: Any = None, /) -> Any:
        self.asked.append(key)
        return super().get(key, default)


class Down:
    """A look-up table whose service is unavailable."""

    def get(self, key: str, /) -> str | None:
        raise exceptions.LookupUnavailable(f"the service that knows {key} is unavailable")
