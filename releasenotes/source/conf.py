# SPDX-License-Identifier: Apache-2.0
"""How Sphinx builds the release notes."""

project = "Distil Collector release notes"
copyright = "Distil contributors"

extensions = ["openstackdocstheme", "reno.sphinxext"]

html_theme = "openstackdocs"
html_theme_options = {"display_badge": False}
openstackdocs_auto_name = False
openstackdocs_auto_version = False
