# SPDX-License-Identifier: Apache-2.0
"""A digest of everything that determines what a collector collects, to compare two collectors."""

import dataclasses
import hashlib
import pathlib
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from distil import exceptions
from distil.conf.collector import CollectorOptions

_DIGEST_LENGTH = 12

# May differ between hosts. Of the rules files the contents count, not the paths.
_HOST_SPECIFIC = {
    "concurrency",
    "enable_exporter",
    "exporter_certfile",
    "exporter_client_cafile",
    "exporter_host",
    "exporter_keyfile",
    "exporter_port",
    "group",
    "meter_mappings_file",
    "name",
    "transformer_file",
    "workers",
}


def fingerprint(options: CollectorOptions, driver_options: Mapping[str, Any]) -> str:
    """The digest of the options in force and of the contents of the rules files.

    :param driver_options: of the telemetry driver, by name.
    :raises ConfigurationError: a file cannot be read.
    """
    names = [field.name for field in dataclasses.fields(options) if field.name not in _HOST_SPECIFIC]
    return _digest(options, names, driver_options)


def rules_fingerprint(options: CollectorOptions, driver_options: Mapping[str, Any]) -> str:
    """The digest of what usage depends on: the contents of the rules files and the trusted sources.

    :param driver_options: of the telemetry driver, by name.
    :raises ConfigurationError: a file cannot be read.
    """
    return _digest(options, ["trust_sources"], driver_options)


def _digest(options: CollectorOptions, names: Iterable[str], driver_options: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(repr([(name, getattr(options, name)) for name in names]).encode())
    meters_file = driver_options.get("meters_file")
    for path in filter(None, (options.meter_mappings_file, options.transformer_file, meters_file)):
        try:
            digest.update(hashlib.sha256(pathlib.Path(path).read_bytes()).digest())
        except OSError as error:
            raise exceptions.ConfigurationError([f"{path} cannot be read: {error.strerror}"]) from error
    return digest.hexdigest()[:_DIGEST_LENGTH]
