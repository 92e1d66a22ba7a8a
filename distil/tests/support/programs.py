# SPDX-License-Identifier: Apache-2.0
"""Programs of the system that some tests run."""

import os
import shutil
import unittest


def path(name: str) -> str:
    """Where a program is.

    :raises unittest.SkipTest: it is not installed; in CI (the environment variable) that is an AssertionError.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found is None:
        message = f"{name} is not installed"
        if os.environ.get("CI"):
            raise AssertionError(f"{message}, and CI is set")
        raise unittest.SkipTest(message)
    return found
