# SPDX-License-Identifier: Apache-2.0
"""``.. distil-metrics::``, the table of every metric, from the one that the exporter is filled from."""

from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from distil.monitoring.definitions import DEFINITIONS
from distil.monitoring.definitions import MetricDefinition

_HEAD = """\
.. list-table::
   :header-rows: 1
   :widths: 40 12 12 36

   * - Metric
     - Type
     - Unit
     - Meaning
"""


class Metrics(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes(_HEAD + "".join(line for row in DEFINITIONS for line in _lines(row)))


def _lines(row: MetricDefinition) -> Iterator[str]:
    labels = "{" + ", ".join(row.labels) + "}" if row.labels else ""
    yield f"   * - ``{row.full_name}{labels}``\n"
    yield f"     - {row.type}\n"
    yield f"     - {row.unit}\n"
    yield f"     - {row.documentation}\n"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("distil-metrics", Metrics)
    return {"parallel_read_safe": True}
