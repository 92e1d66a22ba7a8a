# SPDX-License-Identifier: Apache-2.0
"""Reads the options of the collectors, for commands that depend on their scope or rules."""

from distil import exceptions
from distil.conf import enabled_collectors
from distil.conf import validate
from distil.conf.collector import CollectorOptions
from distil.conf.registry import TrackedConfigOpts


def read_valid_collectors(conf: TrackedConfigOpts) -> list[CollectorOptions]:
    """The options of the enabled collectors, or of the one that was chosen.

    :raises ConfigurationError: with every invalid value, or the collectors cannot run side by side.
    """
    validate.require_valid(conf)
    return enabled_collectors.read_collectors(conf)


def choose(conf: TrackedConfigOpts, name: str | None) -> list[CollectorOptions]:
    """The options of the collector of this name, or of all collectors.

    :raises NotFound: there is no such collector.
    :raises ConfigurationError: as above.
    """
    collectors = read_valid_collectors(conf)
    names = [options.name for options in collectors]
    if name not in (None, *names):
        raise exceptions.NotFound(f"unknown collector {name!r}; the collectors are: {', '.join(names)}")
    return [options for options in collectors if name in (None, options.name)]


def choose_one(conf: TrackedConfigOpts, name: str | None) -> CollectorOptions:
    """The options of the collector of this name, or of the only one.

    :raises NotFound: there is no such collector.
    :raises ConfigurationError: as above, or there are several.
    """
    collectors = choose(conf, name)
    if len(collectors) > 1:
        names = ", ".join(options.name for options in collectors)
        raise exceptions.ConfigurationError([f"several collectors are enabled; choose one with --collector: {names}"])
    return collectors[0]
