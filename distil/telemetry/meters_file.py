# SPDX-License-Identifier: Apache-2.0
"""What the meters files of drivers have in common: where the samples of a meter, and the values in them, come from."""

import dataclasses
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import TypeVar

from distil import exceptions
from distil import yaml_file
from distil.telemetry.driver import ServedMeter
from distil.text import is_storable
from distil.text import is_template
from distil.text import short_repr
from distil.transformers.options import unknown_name
from distil.yaml_file import Problem

NULL = "None"
"""The text that stands for null in the metadata of Ceilometer's samples, and of those that a driver makes."""

_SOURCE_KEYS = ("value", "constant", "metric")
_COMMON_KEYS = ("meter", "unit", "volume", "metadata", "unavailable")
# In characters.
_MAX_TEXT = 255

_EntryT = TypeVar("_EntryT", bound="MeterEntry")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ValueSource:
    """Where a value comes from: a field (attribute or label), the measurement, another metric, or the file itself.

    :param field: name of the attribute or label.
    :param metric: name of another metric of the resource.
    :param is_constant: whether ``constant`` is the value. Without any of the three, it is the measurement's value.
    :param codes: replaces the values of the source, written as text (:func:`code_text`).
    :param default: the value where ``codes`` have none; else it is unknown, which is null.
    :param template: text with one ``%s``, which is replaced by the value unless it is null.
    """

    field: str | None = None
    metric: str | None = None
    is_constant: bool = False
    constant: Any = None
    codes: Mapping[str, Any] | None = None
    default: Any = None
    template: str | None = None

    def resolve(self, fields: Mapping[str, Any], measured: Any, metrics: Mapping[str, Any]) -> Any:
        """The value; None for null and what is missing.

        :param fields: attributes or labels.
        :param measured: the measurement's value.
        :param metrics: the value of each other metric at this time.
        """
        if self.is_constant:
            return self.constant
        if self.field is not None:
            value = fields.get(self.field)
        else:
            value = measured if self.metric is None else metrics.get(self.metric)
        if self.codes is not None and value is not None:
            value = self.codes.get(code_text(value), self.default)
        return value if self.template is None or value is None else self.template % code_text(value)


MEASURED = ValueSource()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MeterEntry:
    """One entry of a meters file.

    :param unit: of the samples; None: that of the service.
    :param metadata: by key.
    :param unavailable: why there are no samples of the meter; None: there are.
    """

    meter: str
    unit: str | None = None
    volume: ValueSource = MEASURED
    metadata: Mapping[str, ValueSource] = dataclasses.field(default_factory=dict)
    unavailable: str | None = None

    def document_metadata(self, fields: Mapping[str, Any], measured: Any, metrics: Mapping[str, Any]) -> dict[str, str]:
        """The metadata of a sample: text, as in Ceilometer's samples."""
        return {key: metadata_text(source.resolve(fields, measured, metrics)) for key, source in self.metadata.items()}

    @property
    def fields(self) -> frozenset[str]:
        """The fields that values come from."""
        return frozenset(source.field for source in (self.volume, *self.metadata.values()) if source.field)

    @property
    def metrics(self) -> frozenset[str]:
        """The other metrics that values come from."""
        return frozenset(source.metric for source in (self.volume, *self.metadata.values()) if source.metric)


def served(entries: Iterable[MeterEntry], adds_up: bool) -> ServedMeter:
    """What the samples of a meter hold.

    :param entries: all of the meter, at least one. A key counts as a constant if it is one in each.
    :param adds_up: whether their volumes may be added.
    """
    available = [entry for entry in entries if entry.unavailable is None]
    if not available:
        return ServedMeter(unavailable=next(entry.unavailable for entry in entries))
    keys = frozenset.intersection(*(frozenset(entry.metadata) for entry in available))
    sources = {key: [entry.metadata[key] for entry in available] for key in sorted(keys)}
    constants = {key: found[0].constant for key, found in sources.items() if all(each.is_constant for each in found)}
    return ServedMeter(metadata=keys, constants=constants, adds_up=adds_up)


def load(path: str, parse: Callable[["EntryParser"], _EntryT | None], fields: str) -> Sequence[_EntryT]:
    """Read a meters file.

    :param parse: parses an entry; what is wrong with it is added to the parser's problems.
    :param fields: what the service calls its fields, as the key of the file has it: ``attribute`` or ``label``.
    :raises ConfigurationError: with all problems of the file.
    """
    problems: list[str] = []
    document = yaml_file.read(path, problems)
    entries: dict[int, _EntryT] = {}
    if document is not None:
        found: list[Problem] = []
        if not isinstance(document.content, list) or not document.content:
            content = "nothing" if document.content is None else short_repr(document.content)
            found.append(Problem(None, f"must hold a list of meters, not {content}"))
        else:
            entries = _parse_entries(document.content, parse, fields, found)
        problems += [document.place(problem) for problem in found]
    if problems:
        raise exceptions.ConfigurationError(problems)
    return tuple(entries.values())


def _parse_entries(
    content: Sequence[object],
    parse: Callable[["EntryParser"], _EntryT | None],
    fields: str,
    problems: list[Problem],
) -> dict[int, _EntryT]:
    entries: dict[int, _EntryT] = {}
    for number, document in enumerate(content, start=1):
        parser = EntryParser(document, fields)
        entry = None if parser.problems else parse(parser)
        problems += [Problem(number, f"entry {number} ({parser.title}): {text}") for text in parser.problems]
        if entry is not None and not parser.problems:
            entries[number] = entry
    for number, entry in entries.items():
        first = next(other for other, same in entries.items() if same == entry or _contradict(same, entry))
        if first < number:
            text = f"entry {number} ({entry.meter}): repeats, or contradicts, entry {first}"
            problems.append(Problem(number, text, other=first))
    return entries


def _contradict(one: MeterEntry, other: MeterEntry) -> bool:
    """Whether one says that there are samples of the meter, and the other that there are none."""
    return one.meter == other.meter and (one.unavailable is None) != (other.unavailable is None)


class EntryParser:
    """Parses one entry of a meters file and collects its problems.

    :param fields: see :func:`load`.
    """

    def __init__(self, document: object, fields: str) -> None:
        self._entry: Mapping[str, Any] = document if isinstance(document, Mapping) else {}
        self._fields = fields
        meter = self._entry.get("meter", "no meter")
        self.title = meter if isinstance(meter, str) and len(meter) <= _MAX_TEXT else short_repr(meter)
        self.problems = [] if isinstance(document, Mapping) else [f"must be a mapping, not {short_repr(document)}"]

    def common(self, own_keys: Sequence[str]) -> dict[str, Any]:
        """The values that every entry has, as arguments of :class:`MeterEntry`.

        :param own_keys: the driver's further keys of an entry.
        """
        known = (*_COMMON_KEYS, *own_keys)
        self.problems += [unknown_name("key", str(key), known) for key in self._entry if key not in known]
        values: dict[str, Any] = {"meter": self.text("meter")}
        if "unavailable" in self._entry:
            values["unavailable"] = self.text("unavailable")
            others = [str(key) for key in self._entry if key not in ("meter", "unavailable")]
            self.problems += [f"{key} has no effect beside unavailable" for key in others]
            return values
        values["unit"] = self.optional_text("unit")
        if "volume" in self._entry:
            values["volume"] = self._volume(self._entry["volume"])
        metadata = self._entry.get("metadata") or {}
        if isinstance(metadata, Mapping):
            values["metadata"] = dict(self._metadata(metadata))
        else:
            self.problems.append(f"metadata must be a mapping, not {short_repr(metadata)}")
        return values

    @property
    def is_unavailable(self) -> bool:
        """Whether the entry only says that there are no samples."""
        return "unavailable" in self._entry

    def get(self, key: str) -> Any:
        return self._entry.get(key)

    def text(self, key: str) -> str:
        """A required text; empty after a problem."""
        if self._entry.get(key) is None:
            self.problems.append(f"{key} is missing")
            return ""
        return self.optional_text(key) or ""

    def optional_text(self, key: str) -> str | None:
        return None if self._entry.get(key) is None else self._text(key, self._entry[key])

    def texts(self, key: str, default: Sequence[str]) -> Sequence[str]:
        """A list of texts."""
        value = self._entry.get(key)
        if value is None:
            return default
        if not isinstance(value, list) or not value:
            self.problems.append(f"{key} must be a list of texts, not {short_repr(value)}")
            return default
        return tuple(text for item in value if (text := self._text(key, item)) is not None)

    def choice(self, key: str, choices: Sequence[str]) -> str:
        """One of some texts; the first is the default."""
        value = self._entry.get(key, choices[0])
        if value in choices:
            return str(value)
        self.problems.append(f"{key} must be one of {', '.join(choices)}, not {short_repr(value)}")
        return choices[0]

    def _text(self, key: str, value: object) -> str | None:
        if isinstance(value, str) and value and len(value) <= _MAX_TEXT and is_storable(value):
            return value
        self.problems.append(f"{key} must be text of at most {_MAX_TEXT} characters, not {short_repr(value)}")
        return None

    def _volume(self, value: object) -> ValueSource:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return ValueSource(is_constant=True, constant=value)
        return self._source("volume", value)

    def _metadata(self, metadata: Mapping[Any, Any]) -> Iterator[tuple[str, ValueSource]]:
        for key, value in metadata.items():
            if self._text("a key of metadata", key) is not None:
                yield key, self._source(f"metadata.{key}", value)

    def _source(self, where: str, value: object) -> ValueSource:
        if isinstance(value, str):
            return ValueSource(field=self._text(where, value))
        if not isinstance(value, Mapping):
            self.problems.append(f"{where} must name its source, not {short_repr(value)}")
            return MEASURED
        names = (self._fields, *_SOURCE_KEYS)
        known = (*names, "codes", "default", "template")
        self.problems += [f"{where}: {unknown_name('key', str(key), known)}" for key in value if key not in known]
        sources = [key for key in names if key in value]
        if len(sources) == 1:
            return self._source_of_kind(where, sources[0], value)
        self.problems.append(f"{where} must have exactly one of {', '.join(names)}, not {short_repr(dict(value))}")
        return MEASURED

    def _source_of_kind(self, where: str, kind: str, value: Mapping[str, Any]) -> ValueSource:
        codes, default, template = self._codes(where, value), value.get("default"), self._template(where, value)
        if kind == "constant":
            return ValueSource(is_constant=True, constant=value[kind])
        if kind == "value":
            if value[kind] is not True:
                self.problems.append(f"{where}.value must be true, not {short_repr(value[kind])}")
            return ValueSource(codes=codes, default=default, template=template)
        name = self._text(f"{where}.{kind}", value[kind])
        if kind == "metric":
            return ValueSource(metric=name, codes=codes, default=default, template=template)
        return ValueSource(field=name, codes=codes, default=default, template=template)

    def _template(self, where: str, source: Mapping[str, Any]) -> str | None:
        template = source.get("template")
        if template is not None and ("constant" in source or not is_template(template)):
            self.problems.append(
                f"{where}.template must be text with one %s for the value of the source (and %% for each %), not"
                f" {short_repr(template)}"
            )
        return template

    def _codes(self, where: str, source: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if "codes" not in source:
            if "default" in source:
                self.problems.append(f"{where}.default has no effect without codes")
            return None
        codes = source["codes"]
        if "constant" in source or not isinstance(codes, Mapping) or not codes:
            self.problems.append(f"{where}.codes must map the values of the source, not {short_repr(codes)}")
            return None
        return {code_text(code): value for code, value in codes.items()}


def code_text(value: object) -> str:
    """A value as text, by which codes are compared: 1, 1.0 and "1" are the same code."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def metadata_text(value: object) -> str:
    """A value as Ceilometer's API writes it in metadata; numbers without a fraction that is zero."""
    return NULL if value is None else code_text(value)
