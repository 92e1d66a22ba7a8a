# SPDX-License-Identifier: Apache-2.0
"""What the entries of drivers' meters files have in common: where the values in the samples of a meter come from."""

import dataclasses
import functools
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from distil.telemetry.driver import ServedMeter

_NULL = "None"
"""The text that stands for null in the metadata of Ceilometer's samples, and of those that a driver makes."""


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

    @property
    def is_measured(self) -> bool:
        """Whether it is the measurement, or that of another metric."""
        return self.field is None and not self.is_constant

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


@dataclasses.dataclass(frozen=True, kw_only=True)
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
        return {**self.lasting_metadata(fields), **self.measured_metadata(measured, metrics)}

    def lasting_metadata(self, fields: Mapping[str, Any]) -> dict[str, str]:
        """The part that samples with the same fields have in common."""
        return {key: metadata_text(source.resolve(fields, None, {})) for key, source in self._lasting.items()}

    def measured_metadata(self, measured: Any, metrics: Mapping[str, Any]) -> dict[str, str]:
        """The part that is measured."""
        return {key: metadata_text(source.resolve({}, measured, metrics)) for key, source in self._measured.items()}

    @functools.cached_property
    def _lasting(self) -> Mapping[str, ValueSource]:
        return {key: source for key, source in self.metadata.items() if not source.is_measured}

    @functools.cached_property
    def _measured(self) -> Mapping[str, ValueSource]:
        return {key: source for key, source in self.metadata.items() if source.is_measured}

    @functools.cached_property
    def fields(self) -> frozenset[str]:
        """The fields that values come from."""
        return frozenset(source.field for source in (self.volume, *self.metadata.values()) if source.field)

    @functools.cached_property
    def metrics(self) -> frozenset[str]:
        """The other metrics that values come from."""
        return frozenset(source.metric for source in (self.volume, *self.metadata.values()) if source.metric)


def served(entries: Iterable[MeterEntry], adds_up: bool) -> ServedMeter:
    """What the samples of a meter hold.

    :param entries: all of the meter, at least one. Its samples have the keys that each entry has; a key is a constant
        if it is one in any.
    :param adds_up: whether their volumes may be added.
    """
    entries = list(entries)
    available = [entry for entry in entries if entry.unavailable is None]
    if not available:
        return ServedMeter(unavailable=entries[0].unavailable)
    keys = frozenset.intersection(*(frozenset(entry.metadata) for entry in available))
    constants = {
        key: source.constant
        for entry in available
        for key, source in entry.metadata.items()
        if source.is_constant and key in keys
    }
    return ServedMeter(metadata=keys, constants=constants, adds_up=adds_up)


def code_text(value: object) -> str:
    """A value as text, by which codes are compared: 1, 1.0 and "1" are the same code."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def metadata_text(value: object) -> str:
    """A value as Ceilometer's API writes it in metadata; numbers without a fraction that is zero."""
    return _NULL if value is None else code_text(value)
