# SPDX-License-Identifier: Apache-2.0
"""The usage counter: the one metric with a series for everything that is billed."""

import threading
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping

from prometheus_client.core import CounterMetricFamily
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from distil import model
from distil.monitoring.definitions import definition

_ROW = definition("usage_total")

_Totals = Mapping[tuple[str, str], float]
_number: Callable[[float], str] = floatToGoString


class UsageCounter(Collector):
    """Usage by project, service and unit.

    A cloud has a hundred thousand series of it. The objects that prometheus_client would make of each at every scrape
    are time that the collection loses. So what a registry is told is the metric without its series; they are rendered
    here, a project's when it is asked for the first time after its usage was counted.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals: dict[str, defaultdict[tuple[str, str], float]] = defaultdict(lambda: defaultdict(float))
        self._rendered: dict[str, bytes] = {}
        self._kinds: dict[tuple[str, str], tuple[str, str]] = {}

    def add(self, project_id: str, usage: Iterable[model.Usage]) -> None:
        with self._lock:
            totals = self._totals[project_id]
            for entry in usage:
                kind = entry.service, entry.unit
                if kind not in totals:
                    # One for all projects, in place of one for each.
                    kind = self._kinds.setdefault(kind, kind)
                totals[kind] += float(entry.volume)
            self._rendered.pop(project_id, None)

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(_ROW.full_name, _ROW.documentation, labels=_ROW.labels)

    def series(self) -> bytes:
        """As both formats have them."""
        with self._lock:
            projects = list(self._totals)
        return b"".join([self._series_of(project_id) for project_id in projects])

    def _series_of(self, project_id: str) -> bytes:
        with self._lock:
            if project_id not in self._rendered:
                self._rendered[project_id] = _render(project_id, self._totals[project_id])
            return self._rendered[project_id]


def _render(project_id: str, totals: _Totals) -> bytes:
    beginning = f'{_ROW.full_name}{{project_id="{_escape(project_id)}"'
    return "".join(
        f'{beginning},service="{_escape(service)}",unit="{_escape(unit)}"}} {_number(total)}\n'
        for (service, unit), total in totals.items()
    ).encode()


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
