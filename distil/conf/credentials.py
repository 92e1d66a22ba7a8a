# SPDX-License-Identifier: Apache-2.0
"""Problems of credentials that keystoneauth does not see before the first request, or does not name by the option."""

import difflib
from collections.abc import Iterator

from keystoneauth1 import loading
from oslo_config import cfg

_PASSWORD_PLUGINS = ("password", "v2password", "v3password")
_APPLICATION_CREDENTIAL = "v3applicationcredential"

# What Keystone refuses beside an application credential.
_SCOPE = ("project_id", "project_name", "domain_id", "domain_name", "system_scope", "trust_id")


def problems(conf: cfg.ConfigOpts, section: str) -> list[str]:
    """The problems with the options of the auth plugin, which are registered.

    :param section: the group that has them.
    """
    auth_type, options = conf[section].auth_type, conf[section]
    if auth_type is None:
        return []
    # keystoneauth names those that it requires only if there is no other problem.
    required = [option.dest for option in loading.get_plugin_loader(auth_type).get_options() if option.required]
    found = [f"{name} is not set" for name in required if options[name] is None]
    if auth_type in _PASSWORD_PLUGINS and not options.password:
        found.append("password is not set")
    if auth_type == _APPLICATION_CREDENTIAL:
        found += _application_credential_problems(options)
    return [f"[{section}] {problem}" for problem in dict.fromkeys(found)]


def subject(conf: cfg.ConfigOpts, section: str) -> str:
    """Whom Keystone authenticates by the options, for messages: ``user 'distil' (domain Default)``."""
    options = conf[section]

    def first(*names: str) -> str | None:
        return next((value for value in (getattr(options, name, None) for name in names) if value), None)

    credential = first("application_credential_id", "application_credential_name")
    if credential:
        return f"application credential {credential!r}"
    user, domain = first("username", "user_id"), first("user_domain_name", "user_domain_id")
    if not user:
        return "the credentials"
    return f"user {user!r} (domain {domain})" if domain else f"user {user!r}"


def unknown_plugin(section: str, name: str) -> str:
    """The problem with an auth_type that there is not, with one that may have been meant."""
    plugins = sorted(loading.get_available_plugin_names())
    similar = [plugin for plugin in plugins if plugin.removeprefix("v3") == name.lower()]
    similar = similar or difflib.get_close_matches(name, plugins, n=1)
    return f"[{section}] auth_type: unknown plugin {name!r}" + (f"; did you mean {similar[0]}?" if similar else "")


def plugin_of(option: str) -> str | None:
    """The auth plugin that an option belongs to, of the two that a collector usually has."""
    for plugin in (_PASSWORD_PLUGINS[0], _APPLICATION_CREDENTIAL):
        if option in {known.dest for known in loading.get_auth_plugin_conf_options(plugin)}:
            return plugin
    return None


def _application_credential_problems(options: cfg.ConfigOpts.GroupAttr) -> Iterator[str]:
    if not options.application_credential_secret:
        yield "application_credential_secret is not set"
    if not options.application_credential_id:
        if not options.application_credential_name:
            yield "application_credential_id is not set"
        elif not options.user_id and not (options.username and (options.user_domain_id or options.user_domain_name)):
            yield "application_credential_name needs user_id, or username and user_domain_name"
    for name in _SCOPE:
        if options[name]:
            yield f"{name} must not be set: an application credential is for the project that it was created in"
