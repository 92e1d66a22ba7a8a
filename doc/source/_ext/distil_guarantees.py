# SPDX-License-Identifier: Apache-2.0
"""``.. distil-guarantees::``, the table of what each telemetry driver guarantees, from the drivers' classes."""

from collections.abc import Iterator
from importlib import metadata

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from distil.telemetry.driver import Guarantee
from distil.telemetry.driver import TelemetryDriver


class Guarantees(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes("".join(table(_drivers())))


def table(drivers: dict[str, type[TelemetryDriver]]) -> Iterator[str]:
    """The lines of the table, with a column for each driver."""
    yield f".. list-table::\n   :header-rows: 1\n   :widths: 60{' 14' * len(drivers)}\n\n"
    yield from _row("Guarantee", [f"``{name}``" for name in drivers])
    for guarantee in Guarantee:
        yield from _row(guarantee, ["yes" if guarantee in driver.guarantees else "no" for driver in drivers.values()])


def _row(title: str, cells: list[str]) -> Iterator[str]:
    yield f"   * - {title}\n"
    yield from (f"     - {cell}\n" for cell in cells)


def _drivers() -> dict[str, type[TelemetryDriver]]:
    """Those of this project, without others that are installed."""
    points = metadata.distribution("distil").entry_points.select(group="distil.telemetry")
    return {point.name: point.load() for point in sorted(points, key=lambda point: point.name)}


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("distil-guarantees", Guarantees)
    return {"parallel_read_safe": True}
