# SPDX-License-Identifier: Apache-2.0
"""What stands in the configuration files and means nothing. oslo.config passes over it without a word."""

import difflib
from collections.abc import Iterator

from distil import conf as configuration
from distil.conf import collector
from distil.conf import database
from distil.conf import files
from distil.conf.options import DEFAULT_GROUP
from distil.conf.options import TrackedConfigOpts

# Older collectors had them, or a library has them for what a collector does not do.
_MEANINGLESS = {DEFAULT_GROUP: {"timezone", "backdoor_port", "backdoor_socket"}, "database": database.MEANINGLESS}


def unknown_options(conf: TrackedConfigOpts) -> list[str]:
    """Options and groups that are misspelt or without effect, in any group that a collector reads."""
    configuration.register_named_opts(conf)
    groups = {group.lower(): group for group in conf.known}
    found = []
    for path, sections in files.parse(conf):
        for section, options in sections.items():
            if section.lower() in groups and (section == DEFAULT_GROUP) == (section.lower() == DEFAULT_GROUP.lower()):
                group = groups[section.lower()]
                found += [f"{path}: [{section}] {problem}" for problem in _options(conf, group, options)]
            else:
                found += [f"{path}: [{section}] means nothing: {problem}" for problem in _group(conf, section)]
    return found


def deprecated_options(conf: TrackedConfigOpts) -> list[str]:
    """Options that are set by an old name, with the new one."""
    configuration.register_named_opts(conf)
    old = {group.lower(): conf.deprecated_names(group) for group in conf.known}
    return [
        f"{each.path}: [{each.group}] {each.key} is called {new} now"
        for each in files.settings(conf)
        if (new := old.get(each.group.lower(), {}).get(each.key))
    ]


def _options(conf: TrackedConfigOpts, group: str, options: dict[str, list[str]]) -> Iterator[str]:
    known, old = conf.known[group], conf.deprecated_names(group)
    for key, values in options.items():
        if key in _MEANINGLESS.get(group, ()):
            yield f"{key} has no meaning (any more) and can be removed"
        elif key not in known and key not in old:
            near = difflib.get_close_matches(key, known, n=1)
            yield f"unknown key {key!r}" + (f"; did you mean {near[0]}?" if near else "")
        elif len(values) > 1 and not (key in known and known[key].multi):
            yield f"{key} is there {len(values)} times; the last one counts"


def _group(conf: TrackedConfigOpts, section: str) -> Iterator[str]:
    """Where it is no other program's."""
    kind, _, name = section.partition(":")
    near = difflib.get_close_matches(section.lower(), [group.lower() for group in conf.known], n=1, cutoff=0.8)
    if kind == collector.GROUP and name:
        yield f"{name} is not in [DEFAULT] enabled_collectors"
    elif near:
        yield f"did you mean [{next(group for group in conf.known if group.lower() == near[0])}]?"
