# SPDX-License-Identifier: Apache-2.0
"""Getting a token without waiting for oneself."""

import threading
from typing import Any

from keystoneauth1 import access
from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1 import plugin
from keystoneauth1 import session as ks_session
from keystoneauth1.identity import base

from distil.cloud import deadline


def prevent_auth_recursion(auth: plugin.BaseAuthPlugin) -> None:
    """Keep a plugin from a wait without end, and its requests from counting as another service's.

    It asks Keystone for its versions while it holds its lock. Where the answer is 401, as a proxy may give it,
    keystoneauth asks again with a token, and waits for that lock. With an error instead it goes on as it does where
    Keystone tells no versions: by the one that auth_url names.
    """
    if not isinstance(auth, base.BaseIdentityPlugin):
        return
    get_access = auth.get_access
    thread = threading.local()

    def get_access_once(session: ks_session.Session, **kwargs: Any) -> access.AccessInfo:
        if getattr(thread, "is_getting_it", False):
            raise ks_exceptions.Unauthorized("Keystone demands a token of those who ask for its versions")
        thread.is_getting_it = True
        try:
            with deadline.requests_to("identity"):
                return get_access(session, **kwargs)
        finally:
            thread.is_getting_it = False

    auth.get_access = get_access_once  # type: ignore[method-assign]
