# SPDX-License-Identifier: Apache-2.0
"""What "not found" is when it comes from a service itself.

A proxy or a gateway in front of a service responds with 404, too, in HTML or JSON, as does a service at a wrong URL.
"""

import json
from collections.abc import Mapping
from typing import Any

import requests


def is_own_not_found(service: str, resource_id: str, reply: requests.Response) -> bool:
    """Whether a response with status 404 has the form in which the service says that a resource does not exist.

    :param service: openstacksdk's name of the service.
    :param resource_id: the last segment of the path.
    """
    if service == "object_store":
        return "X-Trans-Id" in reply.headers  # the response to HEAD has no body
    document = _document(reply)
    if service == "image":
        # webob's form, which other programs have, too. Glance answers for an unknown path like this, but without an id.
        own = document.get("code") == "404 Not Found" and resource_id in str(document.get("message"))
        return own and "X-Openstack-Request-Id" in reply.headers
    fault = document.get("error" if service == "identity" else "itemNotFound")
    return isinstance(fault, Mapping) and fault.get("code") == reply.status_code


def _document(reply: requests.Response) -> Mapping[str, Any]:
    try:
        document = json.loads(reply.content)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, Mapping) else {}
