# SPDX-License-Identifier: Apache-2.0
"""Options whose values no message may quote."""

import contextlib
from collections.abc import Iterator

from oslo_config import cfg

from distil import exceptions


@contextlib.contextmanager
def redacted(name: str) -> Iterator[None]:
    """Around the reading of such options.

    What oslo.config says of a ``$`` that no option's name follows is what does follow: the rest of a password.

    :param name: what is read, for the message.
    :raises ConfigurationError: instead of that.
    """
    try:
        yield
    except cfg.NoSuchOptError:
        raise exceptions.ConfigurationError([dollar(name)]) from None


def dollar(name: str) -> str:
    """The sentence about such an option."""
    return f"{name}: there is a $ in it that no option's name follows; a $ itself is written $$"
