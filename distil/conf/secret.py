# SPDX-License-Identifier: Apache-2.0
"""Keeps the values of secret options out of error messages."""

import contextlib
from collections.abc import Iterator

from oslo_config import cfg

from distil import exceptions


@contextlib.contextmanager
def redacted(name: str) -> Iterator[None]:
    """Wrap the reading of a secret option.

    oslo.config quotes what follows a ``$`` that it cannot resolve, which may be the rest of a password.

    :param name: the option or its group, for the message.
    :raises ConfigurationError: a ``$`` in the value cannot be resolved.
    """
    try:
        yield
    except cfg.NoSuchOptError:
        raise exceptions.ConfigurationError([unresolved_substitution(name)]) from None


def unresolved_substitution(name: str) -> str:
    """The message about an option whose value has such a ``$``."""
    return f"{name}: contains a $ that no option name follows; write $$ for a literal $"
