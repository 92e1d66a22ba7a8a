# SPDX-License-Identifier: Apache-2.0
"""``.. distil-modules:: PACKAGE``, its modules with what each says of itself."""

import ast
import pathlib
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

_DISTIL = pathlib.Path(__file__).parents[3] / "distil"
_HEAD = ".. list-table::\n   :widths: 22 78\n\n"


class Modules(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes(_HEAD + "".join(_lines(_DISTIL / self.arguments[0])))


def _lines(package: pathlib.Path) -> Iterator[str]:
    for path in sorted(package.glob("*.py")):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        if docstring:
            what = docstring.partition("\n\n")[0].replace("\n", " ")
            yield f"   * - ``{path.name}``\n     - {what}\n"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("distil-modules", Modules)
    return {"parallel_read_safe": True}
