# SPDX-License-Identifier: Apache-2.0
"""Copies of the repository."""

import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).parents[3]

# Where a new file belongs to the repository before git knows it. Elsewhere it is what somebody tried something with.
_DIRECTORIES = ("distil", "doc", "etc", "tools")


def copy(target: pathlib.Path, root: pathlib.Path = ROOT) -> None:
    """Copy the files of the repository as they are now."""
    options = (("--cached",), ("--others", "--exclude-standard", "--", *_DIRECTORIES))
    for name in (name for each in options for name in _listed(root, *each)):
        if (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, target / name)


def _listed(root: pathlib.Path, *options: str) -> list[str]:
    command = ["git", "ls-files", "-z", *options]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return list(filter(None, listed.split("\0")))
