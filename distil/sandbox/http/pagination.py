# SPDX-License-Identifier: Apache-2.0
"""Pagination and filters of Keystone's lists: sorted by ID, from a marker, up to a limit."""

import dataclasses
import urllib.parse
from collections.abc import Iterable
from typing import Any

from distil.sandbox.http.messages import HTTPRequest

_FALSE = ("0", "f", "false", "off", "n", "no")


@dataclasses.dataclass(frozen=True)
class PageLimits:
    """Limits of Keystone's configuration.

    :param default: entries on a page if the request names no limit (``list_limit``); None is unlimited.
    :param maximum: entries on any page (``max_db_limit``). A list truncated by this limit alone is not marked.
    """

    default: int | None = None
    maximum: int = 1000


def build_page(
    key: str, url: str, entries: Iterable[dict[str, Any]], request: HTTPRequest, limits: PageLimits
) -> dict[str, Any]:
    """Return the document of one page.

    :param entries: filtered, starting after the marker.
    :raises ValueError: the request's limit is not a number.
    """
    limit = _limit(request, limits)
    size = limit or limits.maximum
    page = [entry for entry, _ in zip(entries, range(size), strict=False)]
    document: dict[str, Any] = {
        key: [{**entry, "links": {"self": f"{url}/{entry['id']}"}} for entry in page],
        "links": {"next": None, "self": url, "previous": None},
    }
    # Keystone treats a full page as truncated, so that the last page may be empty.
    if limit is not None and len(page) >= limit:
        document["truncated"] = True
        if page:
            arguments = dict(request.query) | {"marker": page[-1]["id"], "limit": str(limit)}
            document["links"]["next"] = f"{url}?{urllib.parse.urlencode(arguments)}"
    return document


def matches_filters(entry: dict[str, Any], request: HTTPRequest, fields: Iterable[str]) -> bool:
    """Whether an entry has the values that the query requests; arguments other than ``fields`` are ignored."""
    arguments = dict(request.query)
    return all(_equals(entry.get(field), arguments[field]) for field in fields if field in arguments)


def _equals(value: object, text: str) -> bool:
    return value is (text.lower() not in _FALSE) if isinstance(value, bool) else value == text


def _limit(request: HTTPRequest, limits: PageLimits) -> int | None:
    limit = request.argument("limit")
    if limit is None:
        return None if limits.default is None else min(limits.default, limits.maximum)
    return min(int(limit), limits.maximum)
