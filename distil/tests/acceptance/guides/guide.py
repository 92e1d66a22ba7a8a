# SPDX-License-Identifier: Apache-2.0
"""Someone who does what the documentation says."""

import os
import pathlib
import re
import sys
import unittest
from collections.abc import Mapping
from typing import Any
from typing import ClassVar

from distil.tests.acceptance.guides import pages
from distil.tests.acceptance.guides import shell
from distil.tests.support import clone
from distil.tests.support import databases
from distil.tests.support import requirements
from distil.tests.support.processes import free_port
from distil.tests.support.site import Site
from distil.tests.support.site import stay_away_from_the_hour

# Seconds that it takes to follow a page, on a machine that is busy.
_LENGTH = 120


class GuideTest(unittest.TestCase):
    """Follows pages in a scratch folder, which stands for the root of the file system.

    :cvar site_settings: arguments of the site.
    """

    site_settings: ClassVar[Mapping[str, Any]] = {"migrated": False}

    def setUp(self) -> None:
        # What the pages show is of commands that follow each other within an hour.
        stay_away_from_the_hour(_LENGTH)
        self.site = self.enterContext(Site(databases.MYSQL, **self.site_settings))
        for program in ("curl", "git"):
            requirements.program(program)
        self.root = self.site.folder
        self.clone = self.root / "clone"
        self.port = free_port()
        own = pathlib.Path(sys.executable).parent
        (self.root / ".curlrc").write_text("fail\nsilent\nretry = 20\nretry-delay = 1\nretry-connrefused\n")
        self.environment = {"HOME": str(self.root), "PATH": f"{self.root}/usr/local/bin:{own}:{os.environ['PATH']}"}
        for folder in ("etc/logrotate.d", "etc/systemd/system", "tmp", "usr/local/bin"):
            (self.root / folder).mkdir(parents=True)
        clone.copy(self.clone)

    def here(self, text: str) -> str:
        """What a page says of the root of the file system, said of the scratch folder."""
        return re.sub(r"(?<![\w./])(sqlite:///)?/(etc|opt|tmp|usr/local|var/log)\b", rf"\g<1>{self.root}/\2", text)

    def follow(self, names: tuple[str, ...], instead: dict[str, str]) -> None:
        """Run the commands of pages, and compare the output that these show with what they say.

        :param instead: regular expression -> what is put in the place of what it matches in a command.
        """
        commands = [
            command
            for name in names
            for command in pages.commands(name)
            if command.name not in pages.ELSEWHERE.get(name, {})
        ]
        texts = [command.text for command in commands]
        for wanted, replacement in instead.items():
            self.assertTrue(any(re.search(wanted, text) for text in texts), f"nothing is {wanted}")
            texts = [re.sub(wanted, replacement.replace("\\", r"\\"), text) for text in texts]
        done = shell.run([self.here(text) for text in texts], self.clone, self.environment)
        for command, (output, status) in zip(commands, done, strict=False):
            self.assertEqual(0, status, f"{command.text}\n{output}")
            if command.shown:
                self.assertRegex(output, _pattern(self.here(command.shown)), command.text)
        self.assertEqual(len(commands), len(done))


def _pattern(shown: str) -> str:
    """What is shown, with anything for ``...`` and for the number of a port."""
    text = re.escape(shown).replace(re.escape("..."), "(?s:.*)")
    return r"\A" + re.sub(r"127\\.0\\.0\\.1:\d+", r"127\\.0\\.0\\.1:\\d+", text) + r"\Z"
