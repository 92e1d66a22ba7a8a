# SPDX-License-Identifier: Apache-2.0
"""Finds what oslo.config passes over: unknown and deprecated options, and every invalid value at once."""

import difflib
import os
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

from oslo_config import cfg
from oslo_config import types

from distil import exceptions
from distil.conf import collector
from distil.conf import config_files
from distil.conf import credentials
from distil.conf import database
from distil.conf import registry
from distil.conf import secret
from distil.conf.registry import DEFAULT_GROUP
from distil.conf.registry import TrackedConfigOpts

# From older collectors, or of a library for a feature that a collector does not have.
_UNUSED = {DEFAULT_GROUP: {"timezone", "backdoor_port", "backdoor_socket"}, database.GROUP: database.UNUSED}


class _Origin(NamedTuple):
    """Where an option is set, and its value as written."""

    place: str
    value: str


def require_valid(conf: TrackedConfigOpts) -> None:
    """Read every option, including those of the named collectors and of the auth plugin.

    :raises ConfigurationError: with every invalid value.
    """
    problems = invalid_values(conf)
    if problems:
        raise exceptions.ConfigurationError(problems)


def invalid_values(conf: TrackedConfigOpts) -> list[str]:
    """Every invalid value: ``FILE: [group] option = value: what it must be``."""
    registry.register_dynamic_opts(conf)
    problems = [
        _invalid_value(conf, group, option)
        for group, options in list(conf.known.items())
        for option in options.values()
    ]
    return [problem for problem in problems if problem]


def unknown_options(conf: TrackedConfigOpts) -> list[str]:
    """Misspelt, ineffective and repeated options, and misspelt groups, in the groups that a collector reads."""
    registry.register_dynamic_opts(conf)
    known = {group.lower(): group for group in conf.known}
    problems = []
    for path, groups in config_files.parse(conf):
        for section, options in groups.items():
            if section.lower() in known and (section == DEFAULT_GROUP) == (section.lower() == DEFAULT_GROUP.lower()):
                found = _questionable_options(conf, known[section.lower()], options)
            else:
                found = _unknown_group(conf, section)
            problems += [f"{path}: [{section}] {problem}" for problem in found]
    return problems


def deprecated_options(conf: TrackedConfigOpts) -> list[str]:
    """Options that are set by a deprecated name, each with its replacement."""
    registry.register_dynamic_opts(conf)
    replacements = {group.lower(): conf.deprecated_names(group) for group in conf.known}
    return [
        f"{setting.path}: [{setting.group}] {setting.key} is deprecated; use {replacement}"
        for setting in config_files.settings(conf)
        if (replacement := replacements.get(setting.group.lower(), {}).get(setting.key))
    ]


def _questionable_options(conf: TrackedConfigOpts, group: str, options: Mapping[str, list[str]]) -> Iterator[str]:
    known, deprecated = conf.known[group], conf.deprecated_names(group)
    for key, values in options.items():
        if key in _UNUSED.get(group, ()):
            yield f"{key} has no effect and can be removed"
        elif key not in known and key not in deprecated:
            yield f"unknown key {key!r}{_hint(conf, group, key)}"
        elif len(values) > 1 and not (key in known and known[key].multi):
            yield f"{key} is set {len(values)} times; the last value is used"


def _hint(conf: TrackedConfigOpts, group: str, key: str) -> str:
    """What may have been meant by an unknown key."""
    plugin = credentials.plugin_of(key) if "auth_type" in conf.known[group] else None
    if plugin:
        return f"; it is an option of auth_type {plugin}"
    similar = difflib.get_close_matches(key, conf.known[group], n=1)
    return f"; did you mean {similar[0]}?" if similar else ""


def _unknown_group(conf: TrackedConfigOpts, section: str) -> Iterator[str]:
    """The problem with a group, unless it may be another program's."""
    kind, _, name = section.partition(":")
    known = {group.lower(): group for group in conf.known}
    similar = difflib.get_close_matches(section.lower(), known, n=1, cutoff=0.8)
    if kind == collector.GROUP and name:
        yield f"is ignored: {name} is not in [DEFAULT] enabled_collectors"
    elif similar:
        yield f"is ignored: unknown group; did you mean [{known[similar[0]]}]?"


def _invalid_value(conf: TrackedConfigOpts, group: str, option: cfg.Opt) -> str | None:
    try:
        value = conf[option.dest] if group == DEFAULT_GROUP else conf[group][option.dest]
    except cfg.ConfigSourceValueError as error:
        # The context is the type's own message; oslo.config's adds where it believes the value to be.
        reason = str(error.__context__ or error)
    except (cfg.Error, RecursionError):
        # Without the value: what follows a $ may be the rest of a password.
        problem = secret.unresolved_substitution(f"[{group}] {option.dest}")
        return f"{_origin(conf, group, option).place}: {problem}"
    else:
        if value is not None or option.default is None:
            return None
        reason = "must not be empty"
    origin = _origin(conf, group, option)
    value = "***" if option.secret else " ".join(origin.value.split())
    return f"{origin.place}: [{group}] {option.dest} = {value}: {_constraint(option.type) or reason}"


def _origin(conf: TrackedConfigOpts, group: str, option: cfg.Opt) -> _Origin:
    variable = f"OS_{group.upper()}__{option.dest.upper()}"
    if variable in os.environ:
        return _Origin(f"environment variable {variable}", os.environ[variable])
    names = {(group.lower(), option.dest)}
    names |= {
        ((deprecated.group or group).lower(), deprecated.name or option.dest) for deprecated in option.deprecated_opts
    }
    found = [setting for setting in config_files.settings(conf) if (setting.group.lower(), setting.key) in names]
    return _Origin(found[-1].path, found[-1].values[-1]) if found else _Origin("command line", "")


def _constraint(option_type: Any) -> str | None:
    """What a value must be, if the option's type says so."""
    if isinstance(option_type, types.List) and (constraint := _constraint(option_type.item_type)):
        return f"each {constraint}"
    if isinstance(option_type, types.Boolean):
        return "must be true or false"
    if getattr(option_type, "choices", None):
        return f"must be one of {', '.join(map(str, option_type.choices))}"
    if isinstance(option_type, types.Number):
        number = "a whole number" if isinstance(option_type, types.Integer) else "a number"
        minimum = "" if option_type.min is None else f", at least {option_type.min}"
        maximum = "" if option_type.max is None else f", at most {option_type.max}"
        return f"must be {number}{minimum}{maximum}"
    return None
