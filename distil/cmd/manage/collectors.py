# SPDX-License-Identifier: Apache-2.0
"""Reads the options of the collectors, for commands that depend on their scope or rules."""

from distil.conf import enabled_collectors
from distil.conf import validate
from distil.conf.collector import CollectorOptions
from distil.conf.registry import TrackedConfigOpts


def read_valid_collectors(conf: TrackedConfigOpts) -> list[CollectorOptions]:
    """The options of the enabled collectors, or of the one that was chosen.

    :raises ConfigurationError: with every invalid value, or the collectors cannot run side by side.
    """
    validate.require_valid(conf)
    return enabled_collectors.read_collectors(conf)
