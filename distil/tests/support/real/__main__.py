# SPDX-License-Identifier: Apache-2.0
"""Builds the environments of the real services ahead of the tests: ``python -m distil.tests.support.real``.

Tests build what they miss, one after the other, while their worker waits.
"""

import sys
import time
import unittest
from collections.abc import Callable
from concurrent import futures

from distil.tests.support.real import aetos
from distil.tests.support.real import ceilometer
from distil.tests.support.real import ceilometer_agent
from distil.tests.support.real import environments
from distil.tests.support.real import gnocchi
from distil.tests.support.real import keystone


def main() -> int:
    """Build all at once.

    :return: 1 if one could not be built; not if the machine lacks what it needs.
    """
    services = {
        "Keystone": keystone.prepare,
        "Ceilometer": ceilometer.prepare,
        "Aetos": aetos.prepare,
        "Gnocchi": gnocchi.prepare,
        "Ceilometer's agent": ceilometer_agent.prepare,
    }
    with futures.ThreadPoolExecutor() as pool:
        return max(pool.map(_prepare, services.keys(), services.values()))


def _prepare(name: str, prepare: Callable[[], object]) -> int:
    begun = time.monotonic()
    try:
        sys.stdout.write(f"{name}: {prepare()}, {time.monotonic() - begun:.0f} s\n")
    except unittest.SkipTest as error:
        sys.stdout.write(f"{name}: {error}\n")
    except environments.CommandFailed as error:
        sys.stdout.write(f"{name} could not be installed: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
