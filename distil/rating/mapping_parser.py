# SPDX-License-Identifier: Apache-2.0
"""Parses the meter mappings and transformer options of an operator's files, which a YAML loader has read."""

from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from typing import NamedTuple

from distil import exceptions
from distil import model
from distil.rating.expression import Expression
from distil.rating.mapping import MetadataField
from distil.rating.mapping import MeterMapping
from distil.rating.repeated import find_repeated
from distil.text import is_storable
from distil.text import is_template
from distil.text import short_repr
from distil.transformers import quantities
from distil.transformers.base import Transformer
from distil.transformers.options import Options
from distil.transformers.options import unknown_name
from distil.yaml_file import Problem

Plugins = Mapping[str, type[Transformer]]
Sections = Mapping[str, Mapping[str, Any]]

KEYS = (
    "meter",
    "service",
    "type",
    "unit",
    "transformer",
    "transformer_config",
    "filters",
    "volume",
    "res_id_template",
    "metadata",
)
# In characters.
_MAX_TEXT = 255

# Accepted in older files; without effect.
UNUSED_KEYS = ("transform_info",)


class TransformerOptions(NamedTuple):
    """A parsed transformer file.

    :param sections: options by the name of their transformer.
    """

    sections: Sections
    problems: list[Problem]


class MeterMappings(NamedTuple):
    """A parsed meter mappings file."""

    mappings: tuple[MeterMapping, ...]
    problems: list[Problem]


def parse_transformer_options(document: object, plugins: Plugins) -> TransformerOptions:
    """Parse a transformer file.

    A required option may be missing: a mapping's ``transformer_config`` may add it.
    """
    if document is None:
        return TransformerOptions({}, [])
    if not isinstance(document, Mapping):
        text = f"must hold a section for each transformer, {_instead(document)}"
        return TransformerOptions({}, [Problem(None, text)])
    sections: dict[str, Mapping[str, Any]] = {}
    problems = []
    for name, section in document.items():
        if name not in plugins:
            problems.append(Problem(name, f"section {name!r}: {unknown_name('transformer', name, plugins)}"))
        elif not isinstance(section, Mapping | None):
            problems.append(Problem(name, f"section {name!r} must hold options, not {short_repr(section)}"))
        else:
            sections[name] = section or {}
            _, options = _construct(plugins[name], sections[name])
            problems += [Problem(name, f"section {name!r}: {problem}") for problem in options.problems]
    return TransformerOptions(sections, problems)


def parse_meter_mappings(document: object, plugins: Plugins, sections: Sections | None) -> MeterMappings:
    """Parse a meter mappings file.

    :param sections: sections of the transformer file; None if it could not be parsed: missing options are not reported.
    """
    if not isinstance(document, list) or not document:
        return MeterMappings((), [Problem(None, f"must hold a list of meter mappings, {_instead(document)}")])
    mappings: dict[int, MeterMapping] = {}
    problems: list[Problem] = []
    for number, entry in enumerate(document, start=1):
        parser = _EntryParser(entry, plugins, sections)
        mapping = parser.mapping()
        problems += [Problem(number, f"entry {number} ({parser.title}): {problem}") for problem in parser.problems]
        if mapping is not None:
            mappings[number] = mapping
    for number, first in find_repeated(mappings):
        text = f"entry {number} ({mappings[number].meter}): would bill a second time what is billed by entry {first}"
        problems.append(Problem(number, text, other=first))
    return MeterMappings(tuple(mappings.values()), problems)


def unused_keys(document: object) -> set[str]:
    """The keys in a meter mappings file that are accepted but have no effect."""
    entries = document if isinstance(document, list) else []
    return {key for entry in entries if isinstance(entry, Mapping) for key in UNUSED_KEYS if key in entry}


class _EntryParser:
    """Parses one entry of a meter mappings file and collects its problems."""

    def __init__(self, entry: object, plugins: Plugins, sections: Sections | None) -> None:
        self._entry: Mapping[str, Any] = entry if isinstance(entry, Mapping) else {}
        self._plugins = plugins
        self._sections = sections
        meter = self._entry.get("meter", "no meter")
        self.title = meter if isinstance(meter, str) and len(meter) <= _MAX_TEXT else short_repr(meter)
        self.problems = [] if isinstance(entry, Mapping) else [f"must be a mapping, not {short_repr(entry)}"]

    def mapping(self) -> MeterMapping | None:
        """The mapping; None if there are problems."""
        if self.problems:
            return None
        self.problems += [unknown_name("key", key, KEYS) for key in self._entry if key not in (*KEYS, *UNUSED_KEYS)]
        meter = self._text("meter")
        unit = self._text("unit", max_length=model.MAX_UNIT)
        transformer = self._transformer()
        service = self._text("service", max_length=model.MAX_SERVICE) if "service" in self._entry else meter
        resource_type = self._text("type") if "type" in self._entry else None
        filters = tuple(self._filters())
        volume = self._volume()
        template = self._template(self._entry, "res_id_template")
        fields = tuple(self._fields())
        if self.problems or transformer is None:
            return None
        return MeterMapping(meter, service, resource_type, unit, transformer, filters, volume, template, fields)

    def _text(self, key: str, max_length: int = _MAX_TEXT) -> str:
        value = self._entry.get(key)
        if value is None:
            self.problems.append(f"{key} is missing")
        elif not isinstance(value, str) or not value or not is_storable(value):
            self.problems.append(f"{key} must be text, not {short_repr(value)}")
        elif len(value) > max_length:
            self.problems.append(f"{key} is longer than {max_length} characters: {short_repr(value)}")
        else:
            return value
        return ""

    def _transformer(self) -> Transformer | None:
        name = self._text("transformer")
        config = {} if self._entry.get("transformer_config") is None else self._entry["transformer_config"]
        if name and name not in self._plugins:
            self.problems.append(f"transformer: {unknown_name('transformer', name, self._plugins)}")
        elif not isinstance(config, Mapping):
            self.problems.append(f"transformer_config must hold options, not {short_repr(config)}")
        elif name:
            # Problems of the transformer file itself are reported once, for that file.
            _, own_options = _construct(self._plugins[name], config)
            transformer, options = _construct(self._plugins[name], {**(self._sections or {}).get(name, {}), **config})
            self.problems += [f"transformer_config: {problem}" for problem in own_options.problems]
            if self._sections is not None:
                self.problems += [f"transformer {name}: {problem}" for problem in options.missing]
            return transformer
        return None

    def _filters(self) -> Iterator[Expression]:
        filters = self._entry.get("filters")
        if filters is None:
            return
        if not isinstance(filters, list):
            self.problems.append(f"filters must be a list of JMESPath expressions, not {short_repr(filters)}")
            return
        for number, source in enumerate(filters, start=1):
            yield from self._expression(f"filters[{number}]", source)

    def _volume(self) -> Decimal | tuple[Expression, ...] | None:
        volume = self._entry.get("volume")
        if volume is None:
            return None
        if isinstance(volume, Mapping):
            return self._volume_sources(volume)
        try:
            return quantities.parse_volume(volume, "volume")
        except exceptions.SampleRejected as error:
            self.problems.append(f"{error}; it must be a number, or name a source or sources")
            return None

    def _volume_sources(self, volume: Mapping[str, Any]) -> tuple[Expression, ...] | None:
        if len(volume) != 1 or not {"source", "sources"}.issuperset(volume):
            self.problems.append(f"volume must name either source or sources, not {short_repr(dict(volume))}")
            return None
        sources = [volume["source"]] if "source" in volume else volume["sources"]
        if not isinstance(sources, list) or not sources:
            self.problems.append(f"volume.sources must be a list of JMESPath expressions, not {short_repr(sources)}")
            return None
        return tuple(expression for source in sources for expression in self._expression("volume", source))

    def _expression(self, where: str, source: object) -> Iterator[Expression]:
        try:
            yield Expression.compile(source)
        except ValueError as error:
            self.problems.append(f"{where} {short_repr(source)} is not a valid JMESPath expression: {error}")

    def _fields(self) -> Iterator[MetadataField]:
        metadata = self._entry.get("metadata")
        if metadata is None:
            return
        if not isinstance(metadata, Mapping):
            self.problems.append(f"metadata must be a mapping, not {short_repr(metadata)}")
            return
        names = list(map(str, metadata))
        self.problems += [f"metadata.{name} is there twice" for name, number in Counter(names).items() if number > 1]
        for name, field in metadata.items():
            sources = field.get("sources") if isinstance(field, Mapping) else None
            if not isinstance(sources, list) or not sources or not all(isinstance(source, str) for source in sources):
                self.problems.append(f"metadata.{name} must have sources, a list of keys, not {short_repr(field)}")
                continue
            self.problems += [
                f"metadata.{name}: {unknown_name('key', key, ('sources', 'template'))}"
                for key in field
                if key not in ("sources", "template")
            ]
            spellings = [spelling for source in sources for spelling in _spellings(source)]
            yield MetadataField(str(name), tuple(spellings), self._template(field, "template", f"metadata.{name}."))

    def _template(self, holder: Mapping[str, Any], key: str, where: str = "") -> str | None:
        template = holder.get(key)
        if template is None:
            return None
        if is_template(template):
            return str(template)
        self.problems.append(
            f"{where}{key} must be text with one %s in it (and %% for each %), not {short_repr(template)}"
        )
        return None


def _construct(plugin: type[Transformer], values: Mapping[str, Any]) -> tuple[Transformer, Options]:
    options = Options(values)
    return plugin(options), options


def _instead(document: object) -> str:
    """What a file holds instead of what it must hold."""
    return "and is empty" if document is None else f"not {short_repr(document)}"


def _spellings(key: str) -> tuple[str, ...]:
    """A key of a sample's metadata, then its spelling in Ceilometer 9 and later, with a dot for the colon."""
    return (key, key.replace(":", ".", 1)) if ":" in key else (key,)
