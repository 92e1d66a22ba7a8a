# SPDX-License-Identifier: Apache-2.0
"""A whole collection of Keystone's, however Keystone cuts it into pages.

Keystone 27 and later pages when it is asked with a limit; without one it cuts at ``[DEFAULT] max_db_limit`` (1000) and
says nothing. Older ones know neither limit nor marker: they cut at ``list_limit``, where one is set, and say
``truncated`` with no way to the rest.
"""

import urllib.parse
from collections.abc import Mapping

from distil.cloud import client
from distil.cloud import response


def list_all(
    identity: client.ServiceClient, collection: str, page_size: int, filters: Mapping[str, str]
) -> list[response.JSONObject]:
    """Every member of a collection, each once.

    :raises IdentityError: there is no answer, or one that was cut.
    """
    found: dict[str, response.JSONObject] = {}
    params: dict[str, str] | None = {**filters, "limit": str(page_size)}
    while params is not None:
        page = _page(identity, collection, params)
        members = {member.required_str("id"): member for member in page.objects(collection)}
        fresh = members.keys() - found.keys()
        found.update(members)
        params = _next(page, members, page_size, params, repeated=not fresh)
    return list(found.values())


def _page(identity: client.ServiceClient, collection: str, params: Mapping[str, str]) -> response.JSONObject:
    page = identity.get(collection, params=params)
    if page is None:
        raise identity.failure(f"identity GET /{collection}: HTTP 404, also for a marker that is gone meanwhile")
    return page


def _next(
    page: response.JSONObject,
    members: Mapping[str, response.JSONObject],
    page_size: int,
    params: Mapping[str, str],
    *,
    repeated: bool,
) -> dict[str, str] | None:
    """What to ask for after a page; None after the last.

    A full page without a word is followed by one more question, in case the server did as it was told and no more. One
    that ignores limit and marker then repeats itself: its first answer was whole.
    """
    link = page.object_or_empty("links").optional_str("next")
    if link and repeated:
        raise page.failure(f"{page.request}: the pages do not end, {link} brings nothing new")
    if link:
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link).query))
    if page.document.get("truncated"):
        raise page.failure(
            f"{page.request}: Keystone cut its answer after {len(members)}; unset or raise list_limit in keystone.conf"
            " ([DEFAULT] and [resource]), or upgrade it to a release that pages (27 or later)"
        )
    if len(members) == page_size and not repeated:
        return {**params, "marker": list(members)[-1]}
    return None
