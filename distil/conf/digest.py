# SPDX-License-Identifier: Apache-2.0
"""A digest of what decides how a collector collects, to see whether two do it alike."""

import hashlib
import pathlib
from collections.abc import Iterable

from oslo_config import cfg

from distil import exceptions
from distil.conf.collector import DEFAULT_OPTS
from distil.conf.collector import OPTS
from distil.conf.collector import CollectorType

_LENGTH = 12


def digest(conf: cfg.ConfigOpts, one: CollectorType) -> str:
    """Of the values in force of a collector's options and [DEFAULT]'s own, and of the files with its rules.

    :raises ConfigurationError: a file cannot be read.
    """
    options = [(option.dest, getattr(one, option.dest)) for option in _public(OPTS)]
    options += [(option.dest, conf[option.dest]) for option in _public(DEFAULT_OPTS)]
    whole = hashlib.sha256(repr(options).encode())
    for path in (one.meter_mappings_file, one.transformer_file):
        try:
            whole.update(hashlib.sha256(pathlib.Path(path).read_bytes()).digest())
        except OSError as error:
            raise exceptions.ConfigurationError([f"{path} cannot be read: {error.strerror}"]) from error
    return whole.hexdigest()[:_LENGTH]


def _public(options: Iterable[cfg.Opt]) -> list[cfg.Opt]:
    return [option for option in options if not option.secret]
