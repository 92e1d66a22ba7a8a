# SPDX-License-Identifier: Apache-2.0
"""The installed telemetry drivers, and their options: each has a group of its own, named like the driver."""

import importlib.metadata
from collections.abc import Mapping
from typing import Any

import stevedore
from oslo_config import cfg

from distil import exceptions

_NAMESPACE = "distil.telemetry"


def load(name: str) -> Any:
    """The class of a driver.

    :raises ConfigurationError: there is none of this name, or more than one, or it cannot be imported.
    """
    try:
        manager = stevedore.DriverManager[Any](
            _NAMESPACE, name, on_load_failure_callback=_raise, warn_on_missing_entrypoint=False
        )
        return manager.extensions[0].plugin
    except stevedore.exception.NoMatches as error:
        installed = ", ".join(sorted({point.name for point in importlib.metadata.entry_points(group=_NAMESPACE)}))
        problem = f"collector_backend: unknown telemetry driver {name!r}; installed: {installed}"
        raise exceptions.ConfigurationError([problem]) from error
    except stevedore.exception.MultipleMatches as error:
        points = importlib.metadata.entry_points(group=_NAMESPACE, name=name)
        values = " and ".join(sorted(point.value for point in points))
        problem = f"collector_backend: several packages have a telemetry driver {name!r}: {values}; remove all but one"
        raise exceptions.ConfigurationError([problem]) from error


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


def _raise(_manager: object, entry_point: Any, error: BaseException) -> None:
    problem = f"collector_backend: telemetry driver {entry_point.name!r} cannot be imported: {error}"
    raise exceptions.ConfigurationError([problem]) from error
