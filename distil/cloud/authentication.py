# SPDX-License-Identifier: Apache-2.0
"""Authentication at Keystone: a guard against keystoneauth's deadlock, and messages for operators."""

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


def supervise(auth: plugin.BaseAuthPlugin, subject: str) -> None:
    """Prevent a plugin's deadlock with itself, attribute its requests to Keystone, and translate its errors.

    The plugin discovers Keystone's versions while it holds its lock. If the response is 401, which a proxy may send,
    keystoneauth requests a token for a second attempt, and waits for that lock. An error instead makes it continue
    without discovery, with the version in auth_url.

    :param subject: whom it authenticates, for messages. Its ``get_access`` raises IdentityError if Keystone does not
        respond or rejects the subject; other errors are keystoneauth's.
    """
    if not isinstance(auth, base.BaseIdentityPlugin):
        return
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
