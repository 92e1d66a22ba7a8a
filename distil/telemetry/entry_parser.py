# SPDX-License-Identifier: Apache-2.0
"""Parses the entries of drivers' meters files."""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from distil import exceptions
from distil.telemetry.meter_entry import MEASURED
from distil.telemetry.meter_entry import ValueSource
from distil.telemetry.meter_entry import code_text
from distil.text import is_storable
from distil.text import is_template
from distil.text import short_repr
from distil.transformers import quantities
from distil.transformers.options import unknown_name

_SOURCE_KEYS = ("value", "constant", "metric")
# Change what a source has.
_CHANGES = ("codes", "default", "template")
_COMMON_KEYS = ("meter", "unit", "volume", "metadata", "unavailable")
# In characters.
_MAX_TEXT = 255


class EntryParser:
    """Parses one entry of a meters file and collects its problems.

    :param fields: what the service calls its fields, as the key of the file has it: ``attribute`` or ``label``.
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
            source = ValueSource(is_constant=True, constant=value)
        else:
            source = self._source("volume", value)
        for number in (source.constant, source.default, *(source.codes or {}).values()):
            try:
                quantities.parse_decimal(number, "volume")
            except exceptions.SampleRejected as error:
                self.problems.append(str(error))
        return source

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
        known = (*names, *_CHANGES)
        self.problems += [f"{where}: {unknown_name('key', str(key), known)}" for key in value if key not in known]
        sources = [key for key in names if key in value]
        if len(sources) == 1:
            return self._source_of_kind(where, sources[0], value)
        self.problems.append(f"{where} must have exactly one of {', '.join(names)}, not {short_repr(dict(value))}")
        return MEASURED

    def _source_of_kind(self, where: str, kind: str, value: Mapping[str, Any]) -> ValueSource:
        if kind == "constant":
            others = [key for key in _CHANGES if key in value]
            self.problems += [f"{where}.{key} has no effect on a constant" for key in others]
            return ValueSource(is_constant=True, constant=self._scalar(f"{where}.constant", value[kind]))
        codes, default = self._codes(where, value), self._scalar(f"{where}.default", value.get("default"))
        template = self._template(where, value)
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
        if template is None or is_template(template):
            return template
        form = "must be text with one %s for the value of the source (and %% for each %)"
        self.problems.append(f"{where}.template {form}, not {short_repr(template)}")
        return None

    def _codes(self, where: str, source: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if "codes" not in source:
            if "default" in source:
                self.problems.append(f"{where}.default has no effect without codes")
            return None
        codes = source["codes"]
        if not isinstance(codes, Mapping) or not codes:
            self.problems.append(f"{where}.codes must map the values of the source, not {short_repr(codes)}")
            return None
        texts: dict[str, Any] = {}
        for code, value in codes.items():
            text = self._code(f"{where}.codes", code)
            if text in texts:
                self.problems.append(f"{where}.codes has {text} twice")
            texts[text] = self._scalar(f"{where}.codes.{text}", value)
        return texts

    def _code(self, where: str, code: object) -> str:
        """A value of a source as text."""
        if code is None:
            self.problems.append(f"{where} cannot replace null, which stays null")
            return ""
        return code_text(self._scalar(where, code))

    def _scalar(self, where: str, value: object) -> Any:
        """A value that can be written as text, or null."""
        if isinstance(value, bool):
            # YAML 1.1 reads yes, no, on and off so, too.
            self.problems.append(f"{where}: put the words that YAML reads as {str(value).lower()} in quotes")
            return value
        if value is None or isinstance(value, int | float):
            return value
        if isinstance(value, str) and is_storable(value):
            return value
        self.problems.append(f"{where} must be text, a number or null, not {short_repr(value)}")
        return None
