# SPDX-License-Identifier: Apache-2.0
"""Refuses redirects that would send a token, or a password, to another server, or ask another question.

keystoneauth follows a redirect to any URL, with all headers and the body of the request.
"""

import urllib.parse

import requests
from urllib3 import exceptions as urllib3_exceptions
from urllib3 import util

# 300 is not among them: it comes with a list of versions, and is not followed.
_STATUSES = range(301, 400)
_DEFAULT_PORTS = {"http": 80, "https": 443}


class RedirectRefused(requests.RequestException):
    """A redirect is not followed. keystoneauth wraps it like a failed connection."""


def check_redirect(response: requests.Response) -> None:
    """Make the target of a redirect absolute, because keystoneauth does not follow relative ones.

    :raises RedirectRefused: the target has another origin (scheme, host, port) or another query than the request.
    """
    location = response.headers.get("Location")
    if response.status_code not in _STATUSES or location is None:
        return
    source, target = util.parse_url(response.url), _target(response.url, location)
    redirect = f"HTTP {response.status_code} from {_origin(source)} redirects to"
    if _origin(target) != _origin(source):
        raise RedirectRefused(
            f"{redirect} {_origin(target)}, which is another origin and is not followed; correct the URL in Keystone's"
            " catalog, or auth_url"
        )
    if _arguments(target) != _arguments(source):
        raise RedirectRefused(f"{redirect} a URL with another query, which is not followed")
    response.headers["Location"] = target._replace(auth=source.auth).url


def _target(url: str, location: str) -> util.Url:
    """Parsed as requests does when it sends; urllib.parse takes another host for some malformed URLs."""
    try:
        # Header fields are decoded as Latin-1, but servers send UTF-8; requests does the same.
        return util.parse_url(urllib.parse.urljoin(url, location.encode("latin-1").decode("utf-8", "replace")))
    except (ValueError, urllib3_exceptions.LocationParseError):
        return util.Url()


def _origin(url: util.Url) -> str:
    """Scheme, host and port, without user and password."""
    if not url.scheme or not url.host:
        return "an invalid URL"
    port = _DEFAULT_PORTS.get(url.scheme) if url.port is None else url.port
    return f"{url.scheme}://{url.host}:{port}"


def _arguments(url: util.Url) -> list[tuple[str, str]]:
    return sorted(urllib.parse.parse_qsl(url.query or "", keep_blank_values=True))
