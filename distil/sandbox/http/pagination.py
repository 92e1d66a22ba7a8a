# SPDX-License-Identifier: Apache-2.0
"""Lists the way Keystone pages them: in the order of ids, after a marker, cut at a limit."""

import dataclasses
import urllib.parse
from collections.abc import Iterable
from typing import Any

from distil.sandbox.http.messages import HTTPRequest

_FALSE = ("0", "f", "false", "off", "n", "no")


@dataclasses.dataclass(frozen=True)
class PageLimits:
    """:param default: entries on a page where the request names no limit (``list_limit``); None is no such limit.
    :param maximum: entries on any page (``max_db_limit``); where it alone cuts, the answer does not say so.
    """

    default: int | None = None
    maximum: int = 1000


def page(
    key: str, url: str, entries: Iterable[dict[str, Any]], request: HTTPRequest, limits: PageLimits
) -> dict[str, Any]:
    """The document that answers a list request.

    :param entries: those that pass the filters and come after the marker.
    """
    limit = _limit(request, limits)
    size = limit or limits.maximum
    shown = [entry for entry, _ in zip(entries, range(size), strict=False)]
    document: dict[str, Any] = {
        key: [{**entry, "links": {"self": f"{url}/{entry['id']}"}} for entry in shown],
        "links": {"next": None, "self": url, "previous": None},
    }
    # A full page is taken for a cut one, so the last page may be empty.
    if limit is not None and len(shown) >= limit:
        document["truncated"] = True
        if shown:
            arguments = dict(request.query) | {"marker": shown[-1]["id"], "limit": str(limit)}
            document["links"]["next"] = f"{url}?{urllib.parse.urlencode(arguments)}"
    return document


def matches_filters(entry: dict[str, Any], request: HTTPRequest, fields: Iterable[str]) -> bool:
    """Whether an entry has the values that the query asks for; what is no filter is passed over."""
    wanted = dict(request.query)
    return all(_equals(entry.get(field), wanted[field]) for field in fields if field in wanted)


def _equals(value: object, text: str) -> bool:
    return value is (text.lower() not in _FALSE) if isinstance(value, bool) else value == text


def _limit(request: HTTPRequest, limits: PageLimits) -> int | None:
    asked = request.argument("limit")
    if asked is None:
        return None if limits.default is None else min(limits.default, limits.maximum)
    return min(int(asked), limits.maximum)
