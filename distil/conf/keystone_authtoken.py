# SPDX-License-Identifier: Apache-2.0
"""Options of ``[keystone_authtoken]``: how a collector reaches the cloud, and as whom."""

from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1 import loading
from keystoneauth1 import session as ks_session
from oslo_config import cfg

from distil import exceptions
from distil import tls
from distil.cloud import deadline
from distil.cloud import keystone
from distil.cloud.request_observer import RequestObserver
from distil.conf import secret

GROUP = "keystone_authtoken"

_USUAL_PLUGIN = "password"

# A request ends after so many times its time-out, however steadily its answer drips.
_TIMEOUTS_OF_A_REQUEST = 5

_OWN_OPTS = (
    cfg.StrOpt("region_name", help="Region of the services that are asked. Any, where there is none."),
    cfg.StrOpt(
        "interface",
        default="public",
        choices=["public", "internal", "admin"],
        help="Interface of the services' endpoints.",
    ),
    cfg.FloatOpt(
        "timeout",
        default=60.0,
        min=1.0,
        help="Seconds that a service may take to accept a connection, and again to send the next part of an answer. A "
        f"request that takes {_TIMEOUTS_OF_A_REQUEST} times as long altogether is given up.",
    ),
)


def session_opts() -> list[cfg.Opt]:
    """keystoneauth's session options, with a time-out that is not "for ever", and this project's own."""
    replaced = {opt.name for opt in _OWN_OPTS}
    return [opt for opt in loading.get_session_conf_options() if opt.name not in replaced] + list(_OWN_OPTS)


def list_opts() -> list[cfg.Opt]:
    """All options of the group for the sample generator, those of the usual plugin among them."""
    return [
        *loading.get_auth_common_conf_options(),
        *loading.get_auth_plugin_conf_options(_USUAL_PLUGIN),
        *session_opts(),
    ]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register all but the plugin's options, which are known when the configuration has been read."""
    conf.register_opts(loading.get_auth_common_conf_options(), group=GROUP)
    conf.register_opts(session_opts(), group=GROUP)


def register_plugin_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options of the plugin that the configuration names; where there is none, the usual one's."""
    loading.register_auth_conf_options(conf, GROUP)
    section = conf[GROUP].auth_section or GROUP
    try:
        options = loading.get_auth_plugin_conf_options(conf[section].auth_type or _USUAL_PLUGIN)
    except ks_exceptions.NoMatchingPlugin:
        options = loading.get_auth_plugin_conf_options(_USUAL_PLUGIN)
    except (AttributeError, ImportError) as error:
        # A library that the plugin needs is not there.
        problem = f"[{section}] auth_type {conf[section].auth_type} cannot be used here: {error}"
        raise exceptions.ConfigurationError([problem]) from error
    conf.register_opts(options, group=section)


def load_session(conf: cfg.ConfigOpts, watcher: RequestObserver | None = None) -> ks_session.Session:
    """The authenticated session; loading it sends nothing.

    Without ``cafile`` the bundle that REQUESTS_CA_BUNDLE names counts, as everywhere in requests.

    :param conf: read, with :func:`register_opts` done.
    :param watcher: is told of each request.
    :raises ConfigurationError: an option is missing or wrong.
    """
    group = conf[GROUP]
    section = group.auth_section or GROUP
    problems = tls.client_problems(GROUP, group.cafile, group.certfile, group.keyfile)
    if problems:
        raise exceptions.ConfigurationError(problems)
    try:
        loading.register_auth_conf_options(conf, GROUP)
        with secret.redacted(f"[{section}]"):
            plugin = loading.load_auth_from_conf_options(conf, GROUP)
        if plugin is None:
            raise exceptions.ConfigurationError([f"[{section}] auth_type is not set."])
        _check_url(section, getattr(plugin, "auth_url", None))
        keystone.prevent_auth_recursion(plugin)
        session = loading.load_session_from_conf_options(conf, GROUP, auth=plugin)
    except ks_exceptions.MissingRequiredOptions as error:
        problems = [f"[{section}] {option.dest} is not set." for option in error.options]
        raise exceptions.ConfigurationError(problems) from error
    except ks_exceptions.NoMatchingPlugin as error:
        raise exceptions.ConfigurationError([f"[{section}] auth_type is {error.name}, which is not known."]) from error
    except ks_exceptions.ClientException as error:
        raise exceptions.ConfigurationError([f"[{section}] {error}"]) from error
    deadline.mount_deadline_adapter(session, _TIMEOUTS_OF_A_REQUEST * group.timeout, watcher)
    return session


def _check_url(section: str, url: str | None) -> None:
    if url and "@" in url:
        raise exceptions.ConfigurationError(
            [f"[{section}] auth_url must not hold a user or a password: keystoneauth logs it."]
        )
