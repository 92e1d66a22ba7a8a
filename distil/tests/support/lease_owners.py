# SPDX-License-Identifier: Apache-2.0
"""Owners of leases in other processes."""

import subprocess
import sys

_SCRIPT = """
import sys
from distil.db.lease_owner import owner_name
print(owner_name("default"), flush=True)
sys.stdin.read()
"""


def owner_process(*prefix: str) -> "tuple[subprocess.Popen[str], str]":
    """Start a process that waits for the end of its input, and return it with its name as an owner.

    :param prefix: of its command line.
    """
    command = [*prefix, sys.executable, "-c", _SCRIPT]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def dead_owner() -> str:
    """Return the name of an owner that ran on this host."""
    process, owner = owner_process()
    process.kill()
    process.communicate()
    return owner
