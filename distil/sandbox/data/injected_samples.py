# SPDX-License-Identifier: Apache-2.0
"""Samples that a test wrote by hand; they are served exactly as they are, however bad."""

import dataclasses
import datetime
import json
import threading
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from distil.sandbox.data.synthetic_samples import LEGACY_FIELD_NAMES
from distil.sandbox.query import intervals


@dataclasses.dataclass(frozen=True)
class InjectedSample:
    """One sample.

    :param instant: microseconds at which questions find it; None where every question about its project and meter does.
    """

    project_id: str
    meter: str
    time_us: int | None
    document: Any

    def field_value(self, field: str) -> Any:
        if field in ("project_id", "meter"):
            return getattr(self, field)
        document = self.document if isinstance(self.document, Mapping) else {}
        if field.startswith("metadata."):
            metadata = document.get("metadata")
            return metadata.get(field.removeprefix("metadata.")) if isinstance(metadata, Mapping) else None
        return document.get(field)

    def as_json(self, legacy: bool) -> str:
        if legacy and isinstance(self.document, Mapping):
            return json.dumps({LEGACY_FIELD_NAMES.get(key, key): value for key, value in self.document.items()})
        return json.dumps(self.document)


class InjectedSamples:
    """All of them, by project and meter."""

    def __init__(self) -> None:
        self._samples: dict[tuple[str, str], list[InjectedSample]] = {}
        self._replaced: frozenset[tuple[str, str]] = frozenset()
        self._lock = threading.Lock()

    def add(
        self, project_id: str, meter: str, documents: Iterable[Any], at: str | None = None, replace: bool = False
    ) -> None:
        """Add samples of a project's meter.

        :param at: the time at which questions find them, instead of their own timestamps.
        :param replace: they stand instead of the synthetic ones and of those added before.
        :raises ValueError: ``at`` is no time.
        """
        moment = None if at is None else _utc_microseconds(at)
        samples = [InjectedSample(project_id, meter, moment if at else _own_moment(one), one) for one in documents]
        key = (project_id, meter)
        with self._lock:
            before = [] if replace else self._samples.get(key, [])
            self._samples = {**self._samples, key: before + samples}
            self._replaced |= {key} if replace else set()

    def clear(self) -> None:
        """Forget all of them; the synthetic ones are back."""
        with self._lock:
            self._samples, self._replaced = {}, frozenset()

    def all(self) -> list[InjectedSample]:
        with self._lock:
            return [sample for samples in self._samples.values() for sample in samples]

    def replaces(self, project_id: str, meter: str) -> bool:
        return (project_id, meter) in self._replaced


def _utc_microseconds(text: str) -> int:
    moment = datetime.datetime.fromisoformat(text)
    return intervals.to_microseconds(moment.replace(tzinfo=datetime.UTC) if moment.tzinfo is None else moment)


def _own_moment(document: Any) -> int | None:
    try:
        return _utc_microseconds(document["timestamp"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
