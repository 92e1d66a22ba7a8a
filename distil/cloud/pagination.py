# SPDX-License-Identifier: Apache-2.0
"""Reads whole lists from services that page with a marker.

A page is never taken for the last one because it is short, or has no link: the service, or a gateway, may cap it. The
last page is followed by one more request, which returns nothing. A service that ignores markers repeats its response;
then the limit must not be what ended the list.

Keystone 27 and later pages if the request has a limit; without one it truncates at ``[DEFAULT] max_db_limit`` (1000)
without notice. Older releases support neither limit nor marker: if ``list_limit`` is set, they truncate and respond
with ``truncated``, with no way to read the rest.
"""

from collections.abc import Mapping

from distil import exceptions
from distil.cloud import client
from distil.cloud import response


def list_all(
    service: client.ServiceClient, path: str, key: str, params: Mapping[str, str]
) -> list[response.JSONObject]:
    """Every entry of a list, each once.

    :param key: of the list in the response.
    :param params: if they have a ``limit``, it is halved until the response is not too large.
    :raises ServiceError: of the client's class; the service gave no usable answer, or a truncated one.
    """
    found: dict[str, response.JSONObject] = {}
    params = dict(params)
    while True:
        try:
            page = _page(service, path, params)
        except exceptions.ServiceError as error:
            limit = int(params.get("limit", 1))
            if limit == 1 or not error.is_too_large:
                raise
            params["limit"] = str(limit // 2)
            continue
        entries = {entry.required_str("id"): entry for entry in page.objects(key)}
        is_last = entries.keys() <= found.keys()
        _require_whole(page, len(entries), is_last=is_last)
        found.update(entries)
        if is_last:
            if entries and len(found) == int(params.get("limit", 0)):
                _require_end(service, path, key, params)
            return list(found.values())
        params["marker"] = list(entries)[-1]


def _page(service: client.ServiceClient, path: str, params: Mapping[str, str]) -> response.JSONObject:
    page = service.get(path, params=params)
    if page is None:
        raise service.error_class(
            f"{service.name} GET /{path}: HTTP 404; the entry that marks the page may have been deleted meanwhile"
        )
    return page


def _require_end(service: client.ServiceClient, path: str, key: str, params: Mapping[str, str]) -> None:
    """Raise an error if a service that ignores markers has more entries than the limit."""
    limit = int(params["limit"])
    page = _page(service, path, {**params, "limit": str(limit + 1)})
    if len(page.objects(key)) > limit:
        raise page.error_class(f"{page.request}: the service ignores markers, and has more than {limit} {key}")


def _require_whole(page: response.JSONObject, count: int, *, is_last: bool) -> None:
    link = page.object_or_empty("links").optional_str("next")
    if link and is_last:
        raise page.error_class(f"{page.request}: paging does not end: no new entries, but a link to {link}")
    if page.document.get("truncated") and not link:
        raise page.error_class(
            f"{page.request}: Keystone truncated the list to {count}; unset or raise list_limit in keystone.conf"
            " ([DEFAULT] and [resource]), or upgrade Keystone to a release that pages (27 or later)"
        )
