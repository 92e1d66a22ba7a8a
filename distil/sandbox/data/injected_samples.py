# SPDX-License-Identifier: Apache-2.0
"""Samples that a test adds; the API returns them unchanged, valid or not."""

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

    :param time_us: microseconds since 1970 at which queries find the sample; None if every query for its project and
        meter does.
    :param document: any value that JSON can represent.
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

    def as_json(self, *, legacy: bool) -> str:
        """Serialize the sample.

        :param legacy: whether to use the field names of ``GET /v2/meters/NAME``.
        """
        if legacy and isinstance(self.document, Mapping):
            return json.dumps({LEGACY_FIELD_NAMES.get(key, key): value for key, value in self.document.items()})
        return json.dumps(self.document)


class InjectedSamples:
    """Holds the injected samples by project and meter."""

    def __init__(self) -> None:
        self._samples: dict[tuple[str, str], list[InjectedSample]] = {}
        self._replaced: frozenset[tuple[str, str]] = frozenset()
        self._lock = threading.Lock()

    def add(
        self, project_id: str, meter: str, documents: Iterable[Any], at: str | None = None, replace: bool = False
    ) -> None:
        """Add samples of a project's meter.

        :param at: ISO 8601 time at which queries find them, instead of their own timestamps.
        :param replace: whether they replace the synthetic samples and those added before.
        :raises ValueError: ``at`` is not an ISO 8601 time.
        """
        time_us = None if at is None else _parse_time(at)
        samples = [
            InjectedSample(project_id, meter, time_us if at else _sample_time(document), document)
            for document in documents
        ]
        key = (project_id, meter)
        with self._lock:
            before = [] if replace else self._samples.get(key, [])
            self._samples = {**self._samples, key: before + samples}
            self._replaced |= {key} if replace else set()

    def clear(self) -> None:
        """Remove all injected samples; replaced synthetic samples are served again."""
        with self._lock:
            self._samples, self._replaced = {}, frozenset()

    def list_all(self) -> list[InjectedSample]:
        with self._lock:
            return [sample for samples in self._samples.values() for sample in samples]

    def replaces_synthetic(self, project_id: str, meter: str) -> bool:
        """Whether the synthetic samples of a project's meter are replaced."""
        return (project_id, meter) in self._replaced


def _parse_time(text: str) -> int:
    time = datetime.datetime.fromisoformat(text)
    return intervals.to_microseconds(time.replace(tzinfo=datetime.UTC) if time.tzinfo is None else time)


def _sample_time(document: Any) -> int | None:
    try:
        return _parse_time(document["timestamp"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
