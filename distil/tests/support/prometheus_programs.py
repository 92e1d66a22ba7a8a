# SPDX-License-Identifier: Apache-2.0
"""Prometheus's programs."""

import os
import pathlib
import shutil
import subprocess
import unittest

ETC = pathlib.Path(__file__).parents[3] / "etc" / "prometheus"


def program(name: str) -> str:
    """Its path.

    :raises unittest.SkipTest: it is not installed; in CI (the environment variable) that is an AssertionError.
    """
    found = shutil.which(name)
    if found is None:
        message = f"{name} is not installed (Debian's package is prometheus)"
        if os.environ.get("CI"):
            raise AssertionError(f"{message}, and CI is set")
        raise unittest.SkipTest(message)
    return found


def promtool(*arguments: str) -> str:
    """What it says.

    :raises AssertionError: it finds something.
    """
    done = subprocess.run([program("promtool"), *arguments], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout
