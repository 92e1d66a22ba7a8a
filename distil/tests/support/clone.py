# SPDX-License-Identifier: Apache-2.0
"""Copies of the repository."""

import pathlib
import shutil
import subprocess

from distil.tests.support import requirements

ROOT = pathlib.Path(__file__).parents[3]

# Untracked files are part of the repository in these directories; elsewhere they are leftovers of experiments.
_DIRECTORIES = ("distil", "doc", "etc", "tools")


def copy(target: pathlib.Path, root: pathlib.Path = ROOT) -> None:
    """Copy the working tree to a directory."""
    for name in files(root):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, target / name)


def files(root: pathlib.Path = ROOT) -> set[str]:
    """Return the names of the working tree's files: those that are tracked, and new ones."""
    options = (("--cached",), ("--others", "--exclude-standard", "--", *_DIRECTORIES))
    return {name for each in options for name in _listed(root, *each) if (root / name).is_file()}


def _listed(root: pathlib.Path, *options: str) -> list[str]:
    command = [requirements.program("git"), "ls-files", "-z", *options]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return list(filter(None, listed.split("\0")))
