# SPDX-License-Identifier: Apache-2.0
"""[keystone_authtoken]: how a collector reaches the cloud, and its credentials."""

import dataclasses

from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1 import loading
from oslo_config import cfg

from distil import exceptions

GROUP = "keystone_authtoken"

# A request is abandoned after this many times its time-out, even if data still arrives.
REQUEST_TIMEOUTS = 5

_DEFAULT_PLUGIN = "password"

_OWN_OPTS = (
    cfg.StrOpt("region_name", help="Region of the service endpoints. Without it, any region."),
    cfg.StrOpt(
        "interface",
        default="public",
        choices=["public", "internal", "admin"],
        help="Interface of the service endpoints.",
    ),
    cfg.FloatOpt(
        "timeout",
        default=60.0,
        min=1.0,
        help="Seconds that a service may take to accept a connection, and to send each part of a response. A request "
        f"that takes {REQUEST_TIMEOUTS} times as long in total is abandoned.",
    ),
    cfg.IntOpt(
        "max_response_bytes",
        default=64 * 1024 * 1024,
        min=1024 * 1024,
        help="Largest response that is read, compressed and decompressed. A larger one is an error; samples and "
        "projects are then requested in smaller parts. Each thread may need a few times as much memory.",
    ),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class KeystoneOptions:
    """The values of the group that are read here, by option name; keystoneauth reads the rest.

    :param timeout: seconds.
    """

    auth_section: str | None
    cafile: str | None
    certfile: str | None
    keyfile: str | None
    region_name: str | None
    interface: str
    timeout: float
    max_response_bytes: int

    @property
    def section(self) -> str:
        """The group that has the options of the auth plugin."""
        return self.auth_section or GROUP


def session_opts() -> list[cfg.Opt]:
    """keystoneauth's session options, with a time-out other than "never", and this project's own."""
    replaced = {option.name for option in _OWN_OPTS}
    return [option for option in loading.get_session_conf_options() if option.name not in replaced] + list(_OWN_OPTS)


def all_opts() -> list[cfg.Opt]:
    """All options of the group for the sample generator, including those of the default auth plugin."""
    return [
        *loading.get_auth_common_conf_options(),
        *loading.get_auth_plugin_conf_options(_DEFAULT_PLUGIN),
        *session_opts(),
    ]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register all options except the auth plugin's, which are known once the files are read."""
    conf.register_opts(loading.get_auth_common_conf_options(), group=GROUP)
    conf.register_opts(session_opts(), group=GROUP)


def register_plugin_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options of the auth plugin that the configuration names, or else of the default one.

    :raises ConfigurationError: the plugin needs a library that is not installed.
    """
    loading.register_auth_conf_options(conf, GROUP)
    # Only this value: another one may be invalid, which validation reports.
    section = conf[GROUP].auth_section or GROUP
    try:
        options = loading.get_auth_plugin_conf_options(conf[section].auth_type or _DEFAULT_PLUGIN)
    except ks_exceptions.NoMatchingPlugin:
        options = loading.get_auth_plugin_conf_options(_DEFAULT_PLUGIN)
    except (AttributeError, ImportError) as error:
        problem = f"[{section}] auth_type {conf[section].auth_type} cannot be used: {error}"
        raise exceptions.ConfigurationError([problem]) from error
    conf.register_opts(options, group=section)


def read(conf: cfg.ConfigOpts) -> KeystoneOptions:
    return KeystoneOptions(**{field.name: conf[GROUP][field.name] for field in dataclasses.fields(KeystoneOptions)})
