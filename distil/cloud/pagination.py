# SPDX-License-Identifier: Apache-2.0
"""Reads whole collections from Keystone, in each of its ways to page.

Keystone 27 and later pages if the request has a limit; without one it truncates at ``[DEFAULT] max_db_limit`` (1000)
without notice. Older releases support neither limit nor marker: if ``list_limit`` is set, they truncate and respond
with ``truncated``, with no way to read the rest.
"""

import urllib.parse
from collections.abc import Mapping

from distil.cloud import client
from distil.cloud import response


def list_all(
    identity: client.ServiceClient, collection: str, page_size: int, filters: Mapping[str, str]
) -> list[response.JSONObject]:
    """Every member of a collection, each once.

    :raises IdentityError: Keystone gave no usable answer, or a truncated one.
    """
    found: dict[str, response.JSONObject] = {}
    params: dict[str, str] | None = {**filters, "limit": str(page_size)}
    while params is not None:
        page = _page(identity, collection, params)
        members = {member.required_str("id"): member for member in page.objects(collection)}
        repeated = members.keys() <= found.keys()
        found.update(members)
        params = _next_params(page, members, page_size, params, repeated=repeated)
    return list(found.values())


def _page(identity: client.ServiceClient, collection: str, params: Mapping[str, str]) -> response.JSONObject:
    page = identity.get(collection, params=params)
    if page is None:
        raise identity.error_class(
            f"identity GET /{collection}: HTTP 404; the entry that marks the page may have been deleted meanwhile"
        )
    return page


def _next_params(
    page: response.JSONObject,
    members: Mapping[str, response.JSONObject],
    page_size: int,
    params: Mapping[str, str],
    *,
    repeated: bool,
) -> dict[str, str] | None:
    """The query of the next page; None after the last one.

    A full page without a link is followed by one more request, in case the server applied the limit without a link. A
    server that ignores limit and marker repeats its first response, which was complete.
    """
    link = page.object_or_empty("links").optional_str("next")
    if link and repeated:
        raise page.error_class(f"{page.request}: paging does not end, {link} returned no new entries")
    if link:
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link).query))
    if page.document.get("truncated"):
        raise page.error_class(
            f"{page.request}: Keystone truncated the list to {len(members)}; unset or raise list_limit in keystone.conf"
            " ([DEFAULT] and [resource]), or upgrade Keystone to a release that pages (27 or later)"
        )
    if len(members) == page_size and not repeated:
        return {**params, "marker": list(members)[-1]}
    return None
