# SPDX-License-Identifier: Apache-2.0
"""Authentication at Keystone: guards against keystoneauth's deadlock and malformed tokens; messages for operators."""

import threading
from typing import Any

from keystoneauth1 import access
from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1 import plugin
from keystoneauth1 import session as ks_session
from keystoneauth1.identity import base

from distil import exceptions
from distil.cloud import request_observer
from distil.connection_errors import connection_problem
from distil.redaction import redact

_ERRORS = (
    ks_exceptions.ConnectionError,
    ks_exceptions.DiscoveryFailure,
    ks_exceptions.Unauthorized,
)

# Of keystoneauth, which expects that a token has what it should.
_MALFORMED = (AttributeError, LookupError, TypeError, ValueError)


def supervise(auth: plugin.BaseAuthPlugin, subject: str) -> None:
    """Prevent a plugin's deadlock with itself, attribute its requests to Keystone, and translate its errors.

    The plugin discovers Keystone's versions while it holds its lock. If the response is 401, which a proxy may send,
    keystoneauth requests a token for a second attempt, and waits for that lock. An error instead makes it continue
    without discovery, with the version in auth_url.

    :param subject: whom it authenticates, for messages. Its ``get_access`` raises IdentityError if Keystone does not
        respond, rejects the subject, or gives a malformed token; other errors are keystoneauth's.
    """
    if not isinstance(auth, base.BaseIdentityPlugin):
        return
    _refuse_malformed_tokens(auth)
    get_access = auth.get_access
    thread = threading.local()

    def get_access_once(session: ks_session.Session, **kwargs: Any) -> access.AccessInfo:
        if getattr(thread, "is_authenticating", False):
            raise ks_exceptions.Unauthorized("Keystone requires a token for its list of versions")
        thread.is_authenticating = True
        try:
            with request_observer.attribute_requests_to("identity"):
                return get_access(session, **kwargs)
        except _ERRORS as error:
            problem = _problem(error, auth.auth_url or "", subject)
            if problem is None:
                raise
            raise exceptions.IdentityError(redact(problem)) from error
        finally:
            thread.is_authenticating = False

    auth.get_access = get_access_once  # type: ignore[method-assign]


def _refuse_malformed_tokens(auth: base.BaseIdentityPlugin) -> None:
    """Have a plugin keep no token that it cannot read: it would fail with it for ever."""
    get_auth_ref = auth.get_auth_ref

    def get_readable_auth_ref(session: ks_session.Session, **kwargs: Any) -> access.AccessInfo:
        try:
            found = get_auth_ref(session, **kwargs)
            _read(found)
        except _MALFORMED as error:
            problem = f"Keystone at {auth.auth_url} gave a malformed token: {type(error).__name__}: {error}"
            raise exceptions.IdentityError(redact(problem)) from error
        return found

    auth.get_auth_ref = get_readable_auth_ref  # type: ignore[method-assign]


def _read(found: access.AccessInfo) -> None:
    """Read what every request needs of a token: its expiry and its catalog."""
    found.will_expire_soon()
    found.service_catalog.normalize_catalog()


def _problem(error: Exception, url: str, subject: str) -> str | None:
    """A sentence for operators; None if keystoneauth's own says as much."""
    if isinstance(error, ks_exceptions.Unauthorized):
        return (
            f"Keystone at {url} rejects {subject} (HTTP 401): wrong password or secret, disabled, or no role in the"
            " project"
        )
    reason = connection_problem(error)
    if reason and reason.startswith("[SSL"):
        return f"no TLS connection to Keystone at {url}: {reason}"
    if reason:
        return f"Keystone at {url} does not respond: {reason}"
    status = getattr(error.__context__, "http_status", None)
    return f"Keystone at {url} does not list its versions: HTTP {status}" if status else None
