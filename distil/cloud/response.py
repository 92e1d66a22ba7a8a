# SPDX-License-Identifier: Apache-2.0
"""JSON responses, read with type checks."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from distil import exceptions


@dataclasses.dataclass(frozen=True, slots=True)
class JSONObject:
    """A JSON object of a response. Reading a value of an unexpected type raises ``error_class``.

    :param document: the JSON object.
    :param request: the request, for messages.
    """

    document: Mapping[str, Any]
    request: str
    error_class: type[exceptions.ServiceError]

    def object(self, key: str) -> "JSONObject":
        """The required JSON object under a key."""
        return self._wrap(self.document.get(key), key)

    def object_or_empty(self, key: str) -> "JSONObject":
        """The JSON object under a key; an empty one if it is null or missing."""
        return self._wrap(self.document.get(key) or {}, key)

    def objects(self, key: str) -> list["JSONObject"]:
        """The required list of JSON objects under a key."""
        value = self.document.get(key)
        if not isinstance(value, list):
            raise self._type_error(key, value, "a list")
        return [self._wrap(member, key) for member in value]

    def optional_str(self, key: str) -> str | None:
        """The string under a key; None if it is null or missing."""
        value = self.document.get(key)
        if value is not None and not isinstance(value, str):
            raise self._type_error(key, value, "a string")
        return value

    def nullable_str(self, key: str) -> str | None:
        """The string under a key, which must not be missing; None if it is null."""
        if key not in self.document:
            raise self.error_class(f"the response has no {key!r}", request=self.request)
        return self.optional_str(key)

    def required_str(self, key: str) -> str:
        """The required, non-empty string under a key."""
        value = self.optional_str(key)
        if not value:
            raise self._type_error(key, value, "a non-empty string")
        return value

    def _wrap(self, value: Any, key: str) -> "JSONObject":
        if not isinstance(value, Mapping):
            raise self._type_error(key, value, "an object")
        return JSONObject(value, self.request, self.error_class)

    def _type_error(self, key: str, value: Any, expected: str) -> exceptions.ServiceError:
        found = "empty" if value == "" else f"of type {type(value).__name__}"
        return self.error_class(f"{key!r} in the response is {found}, not {expected}", request=self.request)
