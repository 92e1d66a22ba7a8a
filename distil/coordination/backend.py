# SPDX-License-Identifier: Apache-2.0
"""The coordination backend: its URL, the driver, and errors without secrets. Importing this imports tooz."""

import urllib.parse
from typing import cast

import stevedore
from tooz import coordination

from distil import exceptions
from distil.coordination.call_timeout import call_with_timeout
from distil.redaction import redact
from distil.redaction import remember

# tooz tries again for most of a minute before it tells that a password is wrong.
_CHECK_TIMEOUT_SECONDS = 90.0


class _BackendURL(urllib.parse.SplitResult):
    """A URL whose user name and password are percent-decoded: the drivers of tooz take them as they are."""

    @property
    def username(self) -> str | None:
        return _decoded(super().username)

    @property
    def password(self) -> str | None:
        return _decoded(super().password)


def get_coordinator(backend_url: str, member: bytes) -> coordination.CoordinationDriver:
    """The driver of a URL, as :func:`tooz.coordination.get_coordinator` makes it. It is not started."""
    url = _BackendURL(*urllib.parse.urlsplit(backend_url))
    manager = stevedore.DriverManager[coordination.CoordinationDriver](
        coordination.TOOZ_BACKENDS_NAMESPACE,
        url.scheme,
        invoke_on_load=True,
        invoke_args=(member, url, urllib.parse.parse_qs(url.query)),
    )
    return cast("coordination.CoordinationDriver", manager.driver)


def backend_url_error(backend_url: str) -> str | None:
    """Returns why a URL cannot be used, as far as can be told without connecting; None if it can."""
    try:
        parts = urllib.parse.urlsplit(backend_url)
        _ = parts.port
        driver = type(get_coordinator(backend_url, b"check"))
    except stevedore.exception.NoMatches:
        return f"tooz has no driver {parts.scheme!r}, or the client library of the driver is not installed"
    except Exception as error:
        # Without its text, which may quote a part of the URL, even the password.
        return f"not a valid tooz URL ({type(error).__name__})"
    if driver.join_group is coordination.CoordinationDriver.join_group:
        return f"the tooz driver {parts.scheme!r} does not support groups"
    return None


def require_backend(backend_url: str, timeout: float = _CHECK_TIMEOUT_SECONDS) -> None:
    """Connects to the backend and disconnects. No group is joined.

    :param timeout: seconds.
    :raises CoordinationError: that failed.
    """

    def connect() -> None:
        coordinator = get_coordinator(backend_url, b"distil-check")
        coordinator.start()
        coordinator.stop()

    try:
        call_with_timeout(timeout, connect, lambda _result: None)
    # A driver raises exceptions of tooz, of its own client library, or others.
    except Exception as error:
        text = error_text(error, backend_url)
        raise exceptions.CoordinationError(f"could not connect to the coordination backend: {text}") from error


def error_text(error: BaseException, backend_url: str) -> str:
    """Returns an error's text in one line and without the passwords of the URL."""
    parts = urllib.parse.urlsplit(backend_url)
    password = parts.password or ""
    options = urllib.parse.parse_qsl(parts.query)
    remember((password, urllib.parse.unquote(password), *(value for name, value in options if "password" in name)))
    return redact(" ".join(str(error).split())) or type(error).__name__


def _decoded(text: str | None) -> str | None:
    return None if text is None else urllib.parse.unquote(text)
