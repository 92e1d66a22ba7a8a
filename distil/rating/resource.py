# SPDX-License-Identifier: Apache-2.0
"""The id and the info that a resource is stored with."""

import hashlib
from collections.abc import Mapping
from typing import Any

from distil import exceptions
from distil import model
from distil import text
from distil.rating.mapping import CONTAINER
from distil.rating.mapping import MetadataField
from distil.rating.mapping import MeterMapping
from distil.transformers.container import container_name


def describe(mapping: MeterMapping, last: model.Sample) -> model.Resource:
    """The resource, described by its last sample in a window.

    The stored id of a container is a digest: the id that telemetry uses holds the container's name, which may be as
    long as Swift allows.

    :raises SampleRejected: the resource's id cannot be stored.
    """
    resource_id = last.resource_id
    info = {field.name: value for field in mapping.metadata if (value := _value(field, last.metadata)) is not None}
    if mapping.type == CONTAINER:
        info["name"] = container_name(resource_id)
        resource_id = _digest(resource_id)
    if mapping.type is not None:
        info["type"] = mapping.type
    if mapping.res_id_template is not None:
        resource_id = mapping.res_id_template % resource_id
    if len(resource_id) > model.MAX_RESOURCE_ID:
        reason = f"resource_id is longer than {model.MAX_RESOURCE_ID} characters"
        raise exceptions.SampleRejected(reason, exceptions.RejectionReason.RESOURCE_ID)
    return model.Resource(resource_id, {name: text.to_info_value(value) for name, value in info.items()})


def may_belong_to(stored_id: str, resource_id: str) -> bool:
    """Whether any meter mapping, current or former, may have derived the stored id from the resource's id."""
    return resource_id in stored_id or _digest(resource_id) in stored_id


def _digest(resource_id: str) -> str:
    return hashlib.md5(resource_id.encode(), usedforsecurity=False).hexdigest()


def _value(field: MetadataField, metadata: Mapping[str, Any]) -> Any:
    value = next((metadata[key] for key in field.sources if metadata.get(key) is not None), None)
    return value if value is None or field.template is None else field.template % (text.to_info_value(value),)
