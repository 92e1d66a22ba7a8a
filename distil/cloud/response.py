# SPDX-License-Identifier: Apache-2.0
"""A JSON object that a service answered, read with its shape checked."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from distil import exceptions


@dataclasses.dataclass(frozen=True, slots=True)
class JSONObject:
    """A part of another shape than was asked for raises ``failure``, which names the request and the part.

    :param document: the JSON object.
    :param request: what was asked, for messages.
    """

    document: Mapping[str, Any]
    request: str
    failure: type[exceptions.ServiceError]

    def object(self, key: str) -> "JSONObject":
        """The JSON object that must be under a key."""
        return self._answer(self.document.get(key), key)

    def object_or_empty(self, key: str) -> "JSONObject":
        """The JSON object under a key; null or none is one without keys."""
        return self._answer(self.document.get(key) or {}, key)

    def objects(self, key: str) -> list["JSONObject"]:
        """The list of JSON objects that must be under a key."""
        value = self.document.get(key)
        if not isinstance(value, list):
            raise self._misshapen(key, value, "a list")
        return [self._answer(member, key) for member in value]

    def optional_str(self, key: str) -> str | None:
        """The string under a key; None where there is null or nothing."""
        value = self.document.get(key)
        if value is not None and not isinstance(value, str):
            raise self._misshapen(key, value, "a string")
        return value

    def required_str(self, key: str) -> str:
        """The string, not empty, that must be under a key."""
        value = self.optional_str(key)
        if not value:
            raise self._misshapen(key, value, "a name")
        return value

    def _answer(self, value: Any, key: str) -> "JSONObject":
        if not isinstance(value, Mapping):
            raise self._misshapen(key, value, "an object")
        return JSONObject(value, self.request, self.failure)

    def _misshapen(self, key: str, value: Any, wanted: str) -> exceptions.ServiceError:
        return self.failure(f"{self.request}: {key!r} of the answer is {type(value).__name__}, not {wanted}")
