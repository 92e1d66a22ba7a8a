# SPDX-License-Identifier: Apache-2.0
"""Builds distributions, and installs them beside what they declare that they require."""

import email
import importlib.metadata
import os
import pathlib
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterable

from packaging.requirements import Requirement

ROOT = pathlib.Path(__file__).parents[4]


def run(*command: str | pathlib.Path, **variables: str) -> str:
    """Run a command where it imports nothing from the repository, and return what it printed.

    :raises AssertionError: it failed.
    """
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PBR_VERSION"}}
    done = subprocess.run(
        command,
        cwd=tempfile.gettempdir(),
        env=environment | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"{command}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout


def build(kind: str, source: pathlib.Path, output: pathlib.Path, **variables: str) -> pathlib.Path:
    """Build a distribution with this environment's setuptools and pbr.

    :param kind: ``sdist`` or ``wheel``.
    """
    command = (sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", output, source)
    # Where reno is installed, pbr has it read git's history, which a copy lacks.
    run(*command, SKIP_GENERATE_RENO="true", **variables)
    (built,) = output.iterdir()
    return built


def wheel_files(wheel: pathlib.Path) -> dict[str, int]:
    """CRC by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {each.filename: each.CRC for each in archive.infolist()}


def wheel_requires(wheel: pathlib.Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name)).get_all("Requires-Dist") or []


class Environment:
    """A new virtual environment, which holds a wheel and links to what it requires, and nothing else.

    What it requires comes from this environment, so that nothing is downloaded.

    :raises PackageNotFoundError: a requirement is not installed here.
    """

    def __init__(self, folder: pathlib.Path, wheel: pathlib.Path) -> None:
        venv.create(folder, symlinks=True)
        self.bin = folder / "bin"
        (self.site_packages,) = folder.glob("lib/python*/site-packages")
        for name in _closure(wheel_requires(wheel)):
            self._link(importlib.metadata.distribution(name))
        self.install(wheel)

    def install(self, wheel: pathlib.Path) -> None:
        pip = (sys.executable, "-m", "pip", "--python", self.bin / "python")
        run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel)

    def python(self, program: str) -> str:
        return run(self.bin / "python", "-c", program)

    def _link(self, distribution: importlib.metadata.Distribution) -> None:
        for top in {file.parts[0] for file in distribution.files or () if file.parts[0] not in {"..", "__pycache__"}}:
            link = self.site_packages / top
            if not link.exists():
                link.symlink_to(pathlib.Path(str(distribution.locate_file(top))))


def _closure(requirements: Iterable[str]) -> set[str]:
    """Names of distributions that are required, directly or not."""
    pending = [Requirement(each) for each in requirements]
    seen: set[str] = set()
    while pending:
        requirement = pending.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        for child in map(Requirement, importlib.metadata.requires(requirement.name) or ()):
            extras = requirement.extras or {""}
            if child.marker is None or any(child.marker.evaluate({"extra": extra}) for extra in extras):
                pending.append(child)
    return {Requirement(each).name for each in seen}
