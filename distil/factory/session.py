# SPDX-License-Identifier: Apache-2.0
"""From [keystone_authtoken] to the connection to the cloud."""

from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1 import loading
from keystoneauth1 import plugin as ks_plugin
from keystoneauth1 import session as ks_session
from oslo_config import cfg

from distil import exceptions
from distil import tls
from distil.cloud import adapter
from distil.cloud import authentication
from distil.cloud.connection import Connection
from distil.cloud.request_observer import RequestObserver
from distil.cloud.response_limits import ResponseLimits
from distil.collector.shutdown import Shutdown
from distil.conf import credentials
from distil.conf import keystone_authtoken
from distil.conf import secret
from distil.conf.keystone_authtoken import GROUP
from distil.conf.keystone_authtoken import KeystoneOptions
from distil.monitoring.metrics import Metrics


class CollectorRequestObserver(RequestObserver):
    """Takes each request as a heartbeat of the collector, and counts the responses."""

    def __init__(self, shutdown: Shutdown, metrics: Metrics) -> None:
        self._shutdown = shutdown
        self._metrics = metrics

    def on_request(self) -> None:
        self._shutdown.heartbeat()

    def on_response(self, service: str, method: str, status: int | None, seconds: float) -> None:
        self._metrics.count_request(service, method, status, seconds)


def connect(conf: cfg.ConfigOpts, observer: RequestObserver | None = None) -> Connection:
    """The connection to the cloud. Making it sends nothing.

    :param observer: notified of each request.
    :raises ConfigurationError: an option is missing or wrong.
    """
    options = keystone_authtoken.read(conf)
    return Connection(load_session(conf, observer), options.region_name, options.interface)


def open_session(
    conf: cfg.ConfigOpts,
    observer: RequestObserver | None,
    auth: ks_plugin.BaseAuthPlugin | None,
    verify: bool | str = True,
    cert: str | tuple[str, str] | None = None,
) -> ks_session.Session:
    """A session for a service that does not authenticate at Keystone, with the same limits.

    :param observer: notified of each request.
    :param verify: the file of the CA certificates; False: certificates are not verified.
    :param cert: the file of the client's certificate, or this and that of its key.
    """
    options = keystone_authtoken.read(conf)
    session = ks_session.Session(auth=auth, verify=verify, cert=cert, timeout=options.timeout)
    _mount_adapter(session, options, observer)
    return session


def load_session(conf: cfg.ConfigOpts, observer: RequestObserver | None = None) -> ks_session.Session:
    """The authenticated session. Loading it sends nothing.

    Without ``cafile``, requests' own default applies: the bundle that REQUESTS_CA_BUNDLE names.

    :param conf: read, with the group's options registered.
    :param observer: notified of each request.
    :raises ConfigurationError: an option is missing or wrong.
    """
    options = keystone_authtoken.read(conf)
    problems = tls.client_problems(GROUP, options.cafile, options.certfile, options.keyfile)
    if problems:
        raise exceptions.ConfigurationError(problems)
    section = options.section
    try:
        keystone_authtoken.register_plugin_opts(conf)
        with secret.redacted(f"[{section}]"):
            problems = credentials.problems(conf, section)
            if problems:
                raise exceptions.ConfigurationError(problems)
            plugin = loading.load_auth_from_conf_options(conf, GROUP)
        if plugin is None:
            raise exceptions.ConfigurationError([f"[{section}] auth_type is not set"])
        _require_url_without_credentials(section, getattr(plugin, "auth_url", None))
        authentication.supervise(plugin, credentials.subject(conf, GROUP))
        session = loading.load_session_from_conf_options(conf, GROUP, auth=plugin)
    except ks_exceptions.MissingRequiredOptions as error:
        problems = [f"[{section}] {option.dest} is not set" for option in error.options]
        raise exceptions.ConfigurationError(problems) from error
    except ks_exceptions.NoMatchingPlugin as error:
        raise exceptions.ConfigurationError([credentials.unknown_plugin(section, str(error.name))]) from error
    except ks_exceptions.ClientException as error:
        raise exceptions.ConfigurationError([f"[{section}] {error}"]) from error
    _mount_adapter(session, options, observer)
    return session


def _mount_adapter(session: ks_session.Session, options: KeystoneOptions, observer: RequestObserver | None) -> None:
    limits = ResponseLimits(keystone_authtoken.REQUEST_TIMEOUTS * options.timeout, options.max_response_bytes)
    adapter.mount_adapter(session, limits, observer)


def _require_url_without_credentials(section: str, url: str | None) -> None:
    if url and "@" in url:
        raise exceptions.ConfigurationError(
            [f"[{section}] auth_url must not contain a user name or password: keystoneauth logs it"]
        )
