# SPDX-License-Identifier: Apache-2.0
"""The installed telemetry drivers, and their options: each has a group of its own, named like the driver."""

from collections.abc import Mapping
from importlib import metadata
from typing import Any

from oslo_config import cfg

from distil import exceptions

_NAMESPACE = "distil.telemetry"


def load(name: str) -> Any:
    """The class of a driver.

    :raises ConfigurationError: there is none of this name, or more than one, or it cannot be imported.
    """
    found = metadata.entry_points(group=_NAMESPACE, name=name)
    if not found:
        installed = ", ".join(sorted({point.name for point in metadata.entry_points(group=_NAMESPACE)}))
        raise _error(f"unknown telemetry driver {name!r}; installed: {installed}")
    if len(found) > 1:
        values = " and ".join(sorted(point.value for point in found))
        raise _error(f"several packages have a telemetry driver {name!r}: {values}; remove all but one")
    try:
        return next(iter(found)).load()
    except Exception as error:
        # Of any kind: it is a program of somebody else.
        raise _error(f"telemetry driver {name!r} cannot be imported: {error}") from error


def register_opts(conf: cfg.ConfigOpts, name: str) -> None:
    """:raises ConfigurationError: see :func:`load`."""
    options = load(name).options
    if options:
        conf.register_opts(options, group=name)


def read(conf: cfg.ConfigOpts, name: str) -> Mapping[str, Any]:
    """The values of a driver's options, by name.

    :raises ConfigurationError: see :func:`load`.
    """
    register_opts(conf, name)
    return {option.dest: conf[name][option.dest] for option in load(name).options}


def _error(problem: str) -> exceptions.ConfigurationError:
    return exceptions.ConfigurationError([f"collector_backend: {problem}"])
