# SPDX-License-Identifier: Apache-2.0
"""A digest of what decides how a collector collects, to see whether two do it alike."""

import hashlib
import pathlib

from distil import exceptions
from distil.conf.collector import OPTS
from distil.conf.collector import CollectorOptions

_LENGTH = 12

# What is a host's own affair. Of the rules files the contents count, wherever they lie.
_LOCAL = {
    "concurrency",
    "enable_exporter",
    "exporter_certfile",
    "exporter_client_cafile",
    "exporter_host",
    "exporter_keyfile",
    "exporter_port",
    "meter_mappings_file",
    "transformer_file",
    "workers",
}


def fingerprint(one: CollectorOptions) -> str:
    """Of the values in force of a collector's options, and of the files with its rules.

    :raises ConfigurationError: a file cannot be read.
    """
    names = [option.dest for option in OPTS if option.dest not in _LOCAL and not option.secret]
    options = [(name, getattr(one, name)) for name in names]
    whole = hashlib.sha256(repr(options).encode())
    for path in (one.meter_mappings_file, one.transformer_file):
        try:
            whole.update(hashlib.sha256(pathlib.Path(path).read_bytes()).digest())
        except OSError as error:
            raise exceptions.ConfigurationError([f"{path} cannot be read: {error.strerror}"]) from error
    return whole.hexdigest()[:_LENGTH]
