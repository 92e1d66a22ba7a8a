# SPDX-License-Identifier: Apache-2.0
"""The commands that the documentation shows."""

import pathlib
import re
import textwrap
from collections.abc import Iterator
from typing import NamedTuple

import yaml

ROOT = pathlib.Path(__file__).parents[4]
_DOC = ROOT / "doc" / "source"

# Those that test_guides follows, and of all others who runs their commands.
QUICK_START = ("doc/source/quickstart.rst",)
PLUGIN = "doc/source/contributor/transformer.rst"
INSTALLATION = ("doc/source/install.rst", "doc/source/configuration/options.rst", PLUGIN)
UPGRADE = ("doc/source/admin/upgrade.rst",)
TELEMETRY_CHANGE = ("doc/source/admin/telemetry-change.rst",)
FOLLOWED = (*QUICK_START, *INSTALLATION, *UPGRADE, *TELEMETRY_CHANGE)
ELSEWHERE: dict[str, dict[str, str]] = yaml.safe_load(pathlib.Path(__file__).with_name("elsewhere.yml").read_text())

_BLOCK = re.compile(r"^( *)\.\. code-block:: console\n\n((?:\1   .*\n|\n)+)", re.MULTILINE)
_FILE = re.compile(r"^\.\. code-block:: ini\n   :caption: (\S+)\n\n((?:   .*\n|\n)+)", re.MULTILINE)


class Command(NamedTuple):
    page: str
    text: str
    shown: str
    """The output that the page shows, or nothing."""

    @property
    def name(self) -> str:
        """Its first line, without a comment."""
        return re.sub(r"  +# .*", "", self.text.partition("\n")[0])


def paths() -> list[pathlib.Path]:
    top = [ROOT / name for name in ("README.rst", "CONTRIBUTING.rst", "HACKING.rst", "devstack/README.rst")]
    return [*top, *sorted(_DOC.rglob("*.rst"))]


def commands(page: str) -> list[Command]:
    """In order, of a page by its path from the root of the repository."""
    blocks = _BLOCK.findall((ROOT / page).read_text())
    return [command for _, block in blocks for command in _commands(page, textwrap.dedent(block))]


def files(page: str) -> dict[str, str]:
    """The files that a page tells to write: path -> text."""
    return {path: textwrap.dedent(text) for path, text in _FILE.findall((ROOT / page).read_text())}


def _commands(page: str, block: str) -> Iterator[Command]:
    """Each begins with the prompt that the block begins with; the lines between are output."""
    prompt = block[:2]
    for part in re.split(rf"^{re.escape(prompt)}", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        length = _length(lines)
        yield Command(page, "\n".join(lines[:length]), "\n".join(lines[length:]).strip())


def _length(lines: list[str]) -> int:
    """How many lines a command has: those after a backslash, or up to the end of what it is to read."""
    here_document = re.search(r"<<(\w+)$", lines[0])
    if here_document:
        return lines.index(here_document[1]) + 1
    return next(number for number, line in enumerate(lines, 1) if not line.endswith("\\"))
