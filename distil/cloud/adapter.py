# SPDX-License-Identifier: Apache-2.0
"""The HTTP adapter of a session, which every request passes: of plugins, for discovery, and to the services."""

import time
from typing import Any

import requests
from keystoneauth1 import session as ks_session
from urllib3 import connectionpool

from distil import redaction
from distil.cloud import redirects
from distil.cloud import request_observer
from distil.cloud import response_limits
from distil.cloud.request_observer import RequestObserver
from distil.cloud.response_limits import ResponseLimits
from distil.cloud.sent_secrets import sent_secrets

# Open connections to one host: at least one for each thread.
_MAX_POOL_CONNECTIONS = 64

# Redirects of one request that keystoneauth follows.
_MAX_REDIRECTS = 3


def mount_adapter(session: ks_session.Session, limits: ResponseLimits, observer: RequestObserver | None = None) -> None:
    """Limit every response of a session, observe its requests, check its redirects, and have its secrets redacted."""
    # Older releases of keystoneauth lack these attributes.
    options = {name: getattr(session, name) for name in ("tls_ciphers", "tls_min_version") if hasattr(session, name)}
    adapter = _Adapter(limits, observer or RequestObserver(), **options)
    for prefix in list(session.adapters):
        session.mount(prefix, adapter)
    session.redirect = _MAX_REDIRECTS


class _Adapter(ks_session.TCPKeepAliveAdapter):
    """keystoneauth's adapter with connections, also through proxies, that enforce the limits."""

    def __init__(self, limits: ResponseLimits, observer: RequestObserver, **options: Any) -> None:
        self._limits = limits
        self._observer = observer
        super().__init__(pool_maxsize=_MAX_POOL_CONNECTIONS, **options)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        redaction.remember(sent_secrets(request))
        self._observer.on_request()
        started = time.perf_counter()
        status = None
        try:
            response = super().send(request, *args, **kwargs)
            status = response.status_code
        finally:
            seconds = time.perf_counter() - started
            self._observer.on_response(request_observer.current_service(), request.method or "", status, seconds)
        redaction.remember(filter(None, [response.headers.get("X-Subject-Token")]))
        try:
            redirects.check_redirect(response)
            response_limits.limit_body(response, self._limits)
        except Exception:
            response.close()
            raise
        return response

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> connectionpool.HTTPConnectionPool:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = response_limits.limited_connection(pool.ConnectionCls, self._limits)
        return pool
