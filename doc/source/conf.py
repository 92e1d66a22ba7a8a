# SPDX-License-Identifier: Apache-2.0
"""How Sphinx builds the documentation."""

import importlib.metadata
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).with_name("_ext")))

project = "Distil Collector"
copyright = "Distil contributors"
release = version = importlib.metadata.version("distil")

extensions = [
    "distil_guarantees",
    "distil_metrics",
    "distil_modules",
    "cliff.sphinxext",
    "openstackdocstheme",
    "oslo_config.sphinxconfiggen",
    "oslo_config.sphinxext",
    "sphinx.ext.autodoc",
]

html_theme = "openstackdocs"
# No code of Google Analytics in the pages.
html_theme_options = {"analytics_tracking_code": "", "display_badge": False}
openstackdocs_auto_name = False
openstackdocs_auto_version = False

man_pages = [
    (f"cli/{name}", name, description, [copyright], 1)
    for name, description in (
        ("distil-collector", "collects the usage of an OpenStack cloud"),
        ("distil-db-manage", "brings Distil Collector's database to a revision"),
        ("distil-manage", "looks into what Distil Collector does and has stored"),
        ("distil-sandbox", "a cloud in a process"),
        ("distil-status", "says whether Distil Collector can be started"),
    )
]

# The sample is generated again with each build.
config_generator_config_file = "../../etc/oslo-config-generator/distil.conf"
sample_config_basename = "_static/distil"

autodoc_member_order = "bysource"
nitpicky = True
# Of others, whose inventories would be fetched with each build.
nitpick_ignore_regex = [("py:class", r"(collections\.abc|datetime|decimal|keystoneauth1)\..+")]

# What every command of distil-manage has.
autoprogram_cliff_app_dist_name = "distil"
autoprogram_cliff_ignored = [
    *("--help", "--format", "--column", "--quote", "--noindent", "--max-width", "--fit-width", "--print-empty"),
    *("--prefix", "--sort-column", "--sort-ascending", "--sort-descending"),
]
