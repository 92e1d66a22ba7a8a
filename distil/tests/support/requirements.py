# SPDX-License-Identifier: Apache-2.0
"""What tests require of the machine: a test is skipped without it, and fails in CI."""

import os
import shutil
import unittest
from typing import NoReturn


def program(name: str) -> str:
    """Return the path of a system program.

    :raises unittest.SkipTest: it is not installed; in CI (the environment variable) that is an AssertionError.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin")
    if found is None:
        unmet(f"{name} is not installed (bindep.txt lists the packages)")
    return found


def unmet(message: str, cause: Exception | None = None) -> NoReturn:
    """Skip the test, or fail it in CI, because the machine lacks something.

    :raises unittest.SkipTest: always, unless the environment variable CI is set.
    :raises AssertionError: CI is set.
    """
    if os.environ.get("CI"):
        raise AssertionError(f"{message}, and CI is set") from cause
    raise unittest.SkipTest(message) from cause
