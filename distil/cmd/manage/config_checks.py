# SPDX-License-Identifier: Apache-2.0
"""What can be told about a configuration without asking anybody."""

from collections.abc import Generator
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

from distil import exceptions
from distil.conf import unknown
from distil.conf import values
from distil.conf.collector import CollectorOptions
from distil.conf.collector import collector_types
from distil.conf.options import TrackedConfigOpts
from distil.factory import validation

OK = "ok"
WARNING = "warning"
ERROR = "error"


class Finding(NamedTuple):
    """:param check: what was looked at.
    :param status: ok, warning or error.
    """

    check: str
    status: str
    detail: str


def errors(check: str, problems: Iterable[str]) -> Iterator[Finding]:
    return (Finding(check, ERROR, problem) for problem in problems)


def configuration(conf: TrackedConfigOpts) -> Generator[Finding, None, Sequence[CollectorOptions]]:
    """Look at files, options, and rules.

    :returns: the collector types; none where the options cannot be read.
    """
    yield Finding("configuration files", OK, ", ".join([*conf.config_file, *conf.config_dirs]) or "none")
    yield from _options(conf)
    if values.invalid_values(conf):
        return ()
    try:
        types = collector_types(conf)
    except exceptions.ConfigurationError as error:
        yield from errors("collectors", error.problems)
        return ()
    yield Finding("collectors", OK, ", ".join(each.name for each in types))
    seen: set[str] = set()
    for each in types:
        for check, problems in validation.validate_collector(conf, each):
            if check not in seen:
                yield from errors(check, problems)
                yield from () if problems else [Finding(check, OK, "nothing is wrong")]
            seen.add(check)
    return types


def _options(conf: TrackedConfigOpts) -> Iterator[Finding]:
    wrong = values.invalid_values(conf)
    yield from errors("options", wrong)
    strange = [*unknown.unknown_options(conf), *unknown.deprecated_options(conf)]
    yield from (Finding("options", WARNING, problem) for problem in strange)
    if not wrong and not strange:
        yield Finding("options", OK, "each is known, and its value is one that it can have")
