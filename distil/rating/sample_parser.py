# SPDX-License-Identifier: Apache-2.0
"""Parses the samples that a telemetry service returns."""

import datetime
from collections.abc import Mapping
from typing import Any

from distil import exceptions
from distil import model
from distil import text
from distil.exceptions import RejectionReason
from distil.transformers import quantities

# Ceilometer's API turns every value of the metadata into text with Python's str(); this is its null.
_NULL = "None"


def parse_sample(document: object, project_id: str, meter: str) -> model.Sample | model.RejectedSample:
    """Parse one sample; a document that cannot be used becomes a RejectedSample.

    A telemetry driver translates the data of its service into documents with the keys of Ceilometer's v2 samples:
    ``id``, ``resource_id``, ``timestamp`` (ISO 8601, in UTC unless it names a time zone), ``volume``, ``unit``,
    ``source`` and ``metadata``. As in those samples, the text ``None`` in the metadata means null: the parsed sample
    has null, its ``document`` keeps the text.

    :param project_id: the requested project.
    :param meter: the requested meter.
    """
    if type(document) is not dict and not isinstance(document, Mapping):  # the first is faster
        reason = f"the sample is {_type_name(document)}, not a mapping"
        return model.RejectedSample(project_id, meter, None, reason, {"sample": document}, RejectionReason.DOCUMENT)
    try:
        return model.Sample(
            project_id=project_id,
            meter=meter,
            resource_id=_text(document, "resource_id"),
            timestamp=_timestamp(document),
            volume=quantities.to_decimal(document.get("volume", quantities.MISSING)),
            source=_text(document, "source"),
            metadata=_metadata(document),
            document=document,
        )
    except exceptions.SampleRejected as error:
        return _rejected(project_id, meter, document, error)


def reject(sample: model.Sample, error: exceptions.SampleRejected) -> model.RejectedSample:
    """The sample, rejected with the error's reason."""
    return _rejected(sample.project_id, sample.meter, sample.document, error)


def _rejected(
    project_id: str, meter: str, document: Mapping[str, Any], error: exceptions.SampleRejected
) -> model.RejectedSample:
    resource_id = document.get("resource_id")
    known_id = text.sanitize(resource_id, model.MAX_RESOURCE_ID) if isinstance(resource_id, str) else None
    reason = text.sanitize(str(error), text.MAX_REJECTION_REASON)
    return model.RejectedSample(project_id, meter, known_id, reason, document, error.kind)


def _timestamp(document: Mapping[str, Any]) -> datetime.datetime:
    value = document.get("timestamp")
    if value is None:
        raise exceptions.SampleRejected("timestamp is missing", RejectionReason.TIMESTAMP)
    try:
        return model.parse_time(value)
    except ValueError:
        reason = f"timestamp {text.short_repr(value)} is not a valid ISO 8601 time"
        raise exceptions.SampleRejected(reason, RejectionReason.TIMESTAMP) from None


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    if isinstance(value, str) and value and text.is_storable(value):
        return value
    if value is None or value == "":
        raise exceptions.SampleRejected(f"{key} is missing", RejectionReason(key))
    if not isinstance(value, str):
        raise exceptions.SampleRejected(f"{key} is {_type_name(value)}, not text", RejectionReason(key))
    raise exceptions.SampleRejected(
        f"{key} {text.short_repr(value)} holds characters that cannot be stored", RejectionReason(key)
    )


def _metadata(document: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = document.get("metadata")
    if type(metadata) is not dict and not isinstance(metadata, Mapping):
        raise exceptions.SampleRejected(f"metadata is {_type_name(metadata)}, not a mapping", RejectionReason.METADATA)
    if _NULL not in metadata.values():
        return metadata
    return {key: None if value == _NULL else value for key, value in metadata.items()}


def _type_name(value: object) -> str:
    return "null" if value is None else f"a {type(value).__name__}"
