# SPDX-License-Identifier: Apache-2.0
"""Every value that an option cannot have, at once. oslo.config looks at a value when it is read, and stops there."""

import os
from typing import Any

from oslo_config import cfg
from oslo_config import types

from distil import conf as configuration
from distil import exceptions
from distil.conf import files
from distil.conf import secret
from distil.conf.options import DEFAULT_GROUP
from distil.conf.options import TrackedConfigOpts


def require_valid(conf: TrackedConfigOpts) -> None:
    """Read every option, those of the named collectors and of Keystone's plugin too.

    :raises ConfigurationError: with all that cannot be read.
    """
    found = invalid_values(conf)
    if found:
        raise exceptions.ConfigurationError(found)


def invalid_values(conf: TrackedConfigOpts) -> list[str]:
    """What is wrong with values: ``FILE: [group] option = value: what it must be``."""
    configuration.register_named_opts(conf)
    found = [
        _problem(conf, group, option) for group, options in list(conf.known.items()) for option in options.values()
    ]
    return [problem for problem in found if problem]


def _problem(conf: TrackedConfigOpts, group: str, option: cfg.Opt) -> str | None:
    try:
        value = conf[option.dest] if group == DEFAULT_GROUP else conf[group][option.dest]
    except cfg.ConfigSourceValueError as error:
        # Around what the type said stands what oslo.config thinks of the location.
        reason = str(error.__context__ or error)
    except (cfg.Error, RecursionError):
        # Without the value: what follows a $ may be the rest of a password.
        return f"{_origin(conf, group, option)[0]}: {secret.dollar(f'[{group}] {option.dest}')}"
    else:
        if value is not None or option.default is None:
            return None
        reason = "must not be empty"
    origin, written = _origin(conf, group, option)
    shown = "***" if option.secret else " ".join(written.split())
    return f"{origin}: [{group}] {option.dest} = {shown}: {_rule(option.type) or reason}"


def _origin(conf: TrackedConfigOpts, group: str, option: cfg.Opt) -> tuple[str, str]:
    """Where an option is set, and to what."""
    variable = f"OS_{group.upper()}__{option.dest.upper()}"
    if variable in os.environ:
        return f"environment variable {variable}", os.environ[variable]
    names = {(group.lower(), option.dest)}
    names |= {((old.group or group).lower(), old.name or option.dest) for old in option.deprecated_opts}
    found = [each for each in files.settings(conf) if (each.group.lower(), each.key) in names]
    return (found[-1].path, found[-1].values[-1]) if found else ("command line", "")


def _rule(kind: Any) -> str | None:
    """What a value must be, where the type tells."""
    if isinstance(kind, types.Boolean):
        return "must be true or false"
    if getattr(kind, "choices", None):
        return f"must be one of {', '.join(map(str, kind.choices))}"
    if isinstance(kind, types.Number):
        number = "a whole number" if isinstance(kind, types.Integer) else "a number"
        least = "" if kind.min is None else f", at least {kind.min}"
        most = "" if kind.max is None else f", at most {kind.max}"
        return f"must be {number}{least}{most}"
    return None
