# SPDX-License-Identifier: Apache-2.0
"""Meter mappings and transformer options, from what YAML makes of an operator's files."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from distil import exceptions
from distil import model
from distil.rating.expression import Expression
from distil.rating.mapping import MetadataField
from distil.rating.mapping import MeterMapping
from distil.text import is_storable
from distil.text import short_repr
from distil.transformers import quantities
from distil.transformers.base import Transformer
from distil.transformers.options import Options
from distil.transformers.options import unknown_key

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
# Older files carry it, and nothing has ever used it.
UNUSED_KEYS = ("transform_info",)


# What stands before a problem: that of an entry, by its number, of a section, by its name, or of the whole file.
Place = Callable[[int | str | None], str]


def transformer_options(document: object, plugins: Plugins, place: Place = lambda _: "") -> tuple[Sections, list[str]]:
    """The transformer file: sections by the name of their transformer, and the problems found.

    An option that is required may be missing here: a mapping's ``transformer_config`` may add it.
    """
    if document is None:
        return {}, []
    if not isinstance(document, Mapping):
        return {}, [f"{place(None)}must hold a section for each transformer, not {short_repr(document)}"]
    sections: dict[str, Mapping[str, Any]] = {}
    problems = []
    for name, section in document.items():
        where = place(name)
        if name not in plugins:
            problems.append(f"{where}section {name!r}: {unknown_key(name, plugins).replace('key', 'transformer', 1)}")
        elif not isinstance(section, Mapping | None):
            problems.append(f"{where}section {name!r} must hold options, not {short_repr(section)}")
        else:
            sections[name] = options = section or {}
            found = _construct(plugins[name], options)[1].problems
            problems += [f"{where}section {name!r}: {problem}" for problem in found]
    return sections, problems


def meter_mappings(
    document: object, plugins: Plugins, sections: Sections | None, place: Place = lambda _: ""
) -> tuple[tuple[MeterMapping, ...], list[str]]:
    """The meter mappings file: its mappings, and the problems found.

    :param sections: of the transformer file; None where it cannot be read, so that nobody knows what they lack.
    """
    if not isinstance(document, list) or not document:
        return (), [f"{place(None)}must hold a list of meter mappings, not {short_repr(document)}"]
    mappings = []
    problems: list[str] = []
    for number, entry in enumerate(document, start=1):
        reader = _Entry(entry, plugins, sections)
        mapping = reader.mapping()
        problems += [f"{place(number)}entry {number} ({reader.title}): {problem}" for problem in reader.problems]
        if mapping is not None:
            mappings.append(mapping)
    return tuple(mappings), problems


def unused_keys(document: object) -> set[str]:
    """The keys in a meter mappings file that mean nothing (any more) and are accepted."""
    entries = document if isinstance(document, list) else []
    return {key for entry in entries if isinstance(entry, Mapping) for key in UNUSED_KEYS if key in entry}


class _Entry:
    """One entry of a meter mappings file, and what is wrong with it."""

    def __init__(self, entry: object, plugins: Plugins, sections: Sections | None) -> None:
        self._entry: Mapping[str, Any] = entry if isinstance(entry, Mapping) else {}
        self._plugins = plugins
        self._sections = sections
        self.title = str(self._entry.get("meter", "no meter"))
        self.problems = [] if isinstance(entry, Mapping) else [f"must be a mapping, not {short_repr(entry)}"]

    def mapping(self) -> MeterMapping | None:
        """The mapping, or None where there are problems."""
        if self.problems:
            return None
        self.problems += [unknown_key(key, KEYS) for key in self._entry if key not in (*KEYS, *UNUSED_KEYS)]
        meter = self._text("meter")
        unit = self._text("unit", longest=model.MAX_UNIT)
        transformer = self._transformer()
        service = self._text("service", longest=model.MAX_SERVICE) if "service" in self._entry else meter
        kind = self._text("type") if "type" in self._entry else None
        filters = tuple(self._filters())
        volume = self._volume()
        template = self._template(self._entry, "res_id_template")
        fields = tuple(self._fields())
        if self.problems or transformer is None:
            return None
        return MeterMapping(meter, service, kind, unit, transformer, filters, volume, template, fields)

    def _text(self, key: str, longest: int = 255) -> str:
        value = self._entry.get(key)
        if value is None:
            self.problems.append(f"{key} is missing")
        elif not isinstance(value, str) or not value or not is_storable(value):
            self.problems.append(f"{key} must be text, not {short_repr(value)}")
        elif len(value) > longest:
            self.problems.append(f"{key} is longer than {longest} characters: {short_repr(value)}")
        else:
            return value
        return ""

    def _transformer(self) -> Transformer | None:
        name = self._text("transformer")
        config = {} if self._entry.get("transformer_config") is None else self._entry["transformer_config"]
        if name and name not in self._plugins:
            self.problems.append(f"transformer: {unknown_key(name, self._plugins).replace('key', 'transformer', 1)}")
        elif not isinstance(config, Mapping):
            self.problems.append(f"transformer_config must hold options, not {short_repr(config)}")
        elif name:
            # What is wrong in the transformer file itself is said once, for that file.
            transformer, alone = _construct(self._plugins[name], config)
            transformer, whole = _construct(self._plugins[name], {**(self._sections or {}).get(name, {}), **config})
            self.problems += [f"transformer_config: {problem}" for problem in alone.problems]
            if self._sections is not None:
                self.problems += [f"transformer {name}, whose options are not complete: {gap}" for gap in whole.missing]
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
            self.problems.append(f"{where} {short_repr(source)} is no JMESPath expression: {error}")

    def _fields(self) -> Iterator[MetadataField]:
        metadata = self._entry.get("metadata")
        if metadata is None:
            return
        if not isinstance(metadata, Mapping):
            self.problems.append(f"metadata must be a mapping, not {short_repr(metadata)}")
            return
        for name, field in metadata.items():
            sources = field.get("sources") if isinstance(field, Mapping) else None
            if not isinstance(sources, list) or not sources or not all(isinstance(source, str) for source in sources):
                self.problems.append(f"metadata.{name} must have sources, a list of keys, not {short_repr(field)}")
                continue
            self.problems += [
                f"metadata.{name}: {unknown_key(key, ('sources', 'template'))}"
                for key in field
                if key not in ("sources", "template")
            ]
            spellings = [spelling for source in sources for spelling in _spellings(source)]
            yield MetadataField(str(name), tuple(spellings), self._template(field, "template", f"metadata.{name}."))

    def _template(self, holder: Mapping[str, Any], key: str, where: str = "") -> str | None:
        template = holder.get(key)
        if template is None:
            return None
        if isinstance(template, str) and is_storable(template):
            places = template.replace("%%", "")
            if places.count("%") == 1 and "%s" in places:
                return template
        self.problems.append(
            f"{where}{key} must be text with one %s in it (and %% for each %), not {short_repr(template)}"
        )
        return None


def _construct(plugin: type[Transformer], values: Mapping[str, Any]) -> tuple[Transformer, Options]:
    options = Options(values)
    return plugin(options), options


def _spellings(key: str) -> tuple[str, ...]:
    """A key of a sample's metadata as it was and, after it, as Ceilometer 9 answers it: with a dot for a colon."""
    return (key, key.replace(":", ".", 1)) if ":" in key else (key,)
