# SPDX-License-Identifier: Apache-2.0
"""Validates a collector's configuration as far as possible without asking a service."""

import contextlib
import itertools
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

from oslo_config import cfg

from distil import exceptions
from distil.conf import database
from distil.conf import log
from distil.conf.collector import CollectorOptions
from distil.factory import coordination
from distil.factory import session
from distil.factory.collector import CollectorFactory
from distil.factory.engine import require_usable_connection
from distil.factory.exporter import tls_context


class ValidationResult(NamedTuple):
    """:param check: what was validated.
    :param problems: empty if it is valid.
    :param warnings: what is valid, and may not be meant.
    """

    check: str
    problems: Sequence[str]
    warnings: Sequence[str] = ()


def validate_collector(conf: cfg.ConfigOpts, options: CollectorOptions) -> list[ValidationResult]:
    """Validate the groups of options, and the rules."""
    return [*validate_options(conf, options), validate_rules(conf, options)]


def validate_options(conf: cfg.ConfigOpts, options: CollectorOptions) -> list[ValidationResult]:
    """Validate the groups of options, and the files and drivers that they name."""
    factory, group = CollectorFactory(conf, options), options.group
    parts = (factory.scope, lambda: factory.telemetry.offline_driver, lambda: tls_context(options))
    problems = [f"[{group}] {problem}" for part in parts for problem in _problems(part)]
    return [
        ValidationResult(f"[{group}]", problems),
        ValidationResult("[DEFAULT]", _problems(lambda: log.require_writable_log(conf))),
        ValidationResult("[database]", _problems(lambda: require_usable_connection(database.read(conf)))),
        ValidationResult("[coordination]", _problems(lambda: coordination.require_usable_backend(conf))),
        ValidationResult("[keystone_authtoken]", _problems(lambda: session.load_session(conf))),
    ]


def validate_rules(conf: cfg.ConfigOpts, options: CollectorOptions) -> ValidationResult:
    """Validate the meter mappings and the transformers' options, and compare them with the telemetry driver."""
    check = f"rules of [{options.group}]"
    factory = CollectorFactory(conf, options)
    try:
        loaded = factory.load_rules()
    except exceptions.ConfigurationError as error:
        return ValidationResult(check, error.problems)
    try:
        shortcomings = list(factory.telemetry.shortcomings(loaded.rules.mappings))
        source = factory.telemetry.offline_driver.source
    except exceptions.ConfigurationError:
        # The validation of the options reports it.
        return ValidationResult(check, (), loaded.unused_keys())
    errors = [loaded.place(found) for found in shortcomings if found.is_error]
    if source is not None and not loaded.rules.is_trusted(source):
        errors.append(
            f"[{options.group}] trust_sources does not match {source!r}, the source of all samples of the driver"
            f" {options.collector_backend}: nothing would be billed"
        )
    warnings = [loaded.place(found) for found in shortcomings if not found.is_error]
    return ValidationResult(check, errors, [*loaded.unused_keys(), *warnings])


def overlaps(conf: cfg.ConfigOpts, collectors: Iterable[CollectorOptions]) -> Iterator[str]:
    """A sentence for each two collectors that may collect the same project by different rules.

    A collector whose scope or rules cannot be read is left out.
    """
    valid = []
    for options in collectors:
        with contextlib.suppress(exceptions.ConfigurationError):
            factory = CollectorFactory(conf, options)
            valid.append((options.name, factory.scope(), factory.rules_fingerprint()))
    for (name, scope, rules), (other_name, other_scope, other_rules) in itertools.combinations(valid, 2):
        if rules != other_rules and scope.may_share(other_scope):
            yield (
                f"{name} and {other_name} may have projects in common, but have different rules: which of them bill a"
                " window is chance; separate their scopes, or use the same rules files"
            )


def validate_exporter_address(conf: cfg.ConfigOpts, options: CollectorOptions, worker: int) -> list[str]:
    """The problems with the address of a worker's exporter, which must not be in use by this process."""

    def bind() -> None:
        exporter = CollectorFactory(conf, options, worker).exporter()
        if exporter is not None:
            exporter.close()

    return [f"[{options.group}] {problem}" for problem in _problems(bind)]


def _problems(part: Callable[[], object]) -> Sequence[str]:
    try:
        part()
    except exceptions.ConfigurationError as error:
        return error.problems
    return ()
