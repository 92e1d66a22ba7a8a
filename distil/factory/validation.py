# SPDX-License-Identifier: Apache-2.0
"""What can be seen to be wrong with a collector's configuration without asking anybody."""

from collections.abc import Callable
from collections.abc import Sequence

from oslo_config import cfg

from distil import exceptions
from distil.conf import coordination
from distil.conf import database
from distil.conf import keystone_authtoken
from distil.conf import log
from distil.conf.collector import CollectorOptions
from distil.factory.collector import CollectorFactory

# What was looked at, and what is wrong with it.
Checked = tuple[str, Sequence[str]]


def validate_collector(conf: cfg.ConfigOpts, its: CollectorOptions) -> list[Checked]:
    """The groups of options, and the rules."""
    return [*validate_options(conf, its), validate_rules(conf, its)]


def validate_options(conf: cfg.ConfigOpts, its: CollectorOptions) -> list[Checked]:
    """The groups of options, and what they name."""
    parts = CollectorFactory(conf, its)
    own = [problem for part in (parts.scope, parts.driver_class, parts.tls) for problem in _problems(part)]
    return [
        (f"[{its.group}]", [f"[{its.group}] {problem}" for problem in own]),
        ("[DEFAULT]", _problems(lambda: log.require_writable_log(conf))),
        ("[database]", _problems(lambda: database.check(conf))),
        ("[coordination]", _problems(lambda: coordination.check(conf))),
        ("[keystone_authtoken]", _problems(lambda: keystone_authtoken.load_session(conf))),
    ]


def validate_rules(conf: cfg.ConfigOpts, its: CollectorOptions) -> Checked:
    """The meter mappings and the transformers' options."""
    return f"rules of [{its.group}]", _problems(CollectorFactory(conf, its).rules)


def validate_exporter_address(conf: cfg.ConfigOpts, its: CollectorOptions, worker: int) -> list[str]:
    """The problem with the address that a worker's exporter is to listen on, while nobody does."""

    def try_it() -> None:
        shown = CollectorFactory(conf, its, worker).exporter()
        if shown is not None:
            shown.close()

    return [f"[{its.group}] {problem}" for problem in _problems(try_it)]


def _problems(part: Callable[[], object]) -> Sequence[str]:
    try:
        part()
    except exceptions.ConfigurationError as error:
        return error.problems
    return ()
