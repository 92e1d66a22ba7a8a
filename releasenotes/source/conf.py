# SPDX-License-Identifier: Apache-2.0
"""How Sphinx builds the release notes."""

import pathlib

from dulwich import repo
from reno import scanner
from sphinx.application import Sphinx

project = "Distil Collector release notes"
copyright = "Distil contributors"
html_title = project

extensions = ["openstackdocstheme", "reno.sphinxext"]

html_theme = "openstackdocs"
# No code of Google Analytics in the pages.
html_theme_options = {"analytics_tracking_code": "", "display_badge": False}
openstackdocs_auto_name = False
openstackdocs_auto_version = False


class ShallowScanner(scanner.Scanner):
    """All notes of the working tree as one version: reno reads versions off a history that a shallow clone lacks."""

    def get_notes_by_version(self, branch: str | None = None) -> dict[str, list[tuple[str, None]]]:
        root = pathlib.Path(self.reporoot)
        notes = sorted((root / self.conf.notespath).glob("*.yaml"))
        return {"unreleased-": [(str(note.relative_to(root)), None) for note in notes]}

    def get_version_dates(self) -> dict[str, float]:
        return {}


def setup(_app: Sphinx) -> None:
    if repo.Repo.discover().get_shallow():
        scanner.Scanner = ShallowScanner
