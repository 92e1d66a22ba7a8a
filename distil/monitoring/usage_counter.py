# SPDX-License-Identifier: Apache-2.0
"""The counter of usage, which has a series for each project, service and unit."""

import datetime
import threading
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Container
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping

from prometheus_client.core import CounterMetricFamily
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from distil import model
from distil.monitoring.definitions import definition

_DEFINITION = definition("usage_total")

# Long enough for Prometheus to scrape the last increase, and for a project that is disabled for a short time.
_KEEP = datetime.timedelta(days=1)

# Totals by service and unit.
_Totals = Mapping[tuple[str, str], float]
_format_value: Callable[[float], str] = floatToGoString


class UsageCounter(Collector):
    """Usage by project, service and unit. Threads may share it.

    A cloud has a hundred thousand series. The objects that prometheus_client would create of each at every scrape cost
    time that collecting needs. Therefore the registry gets the metric without series; :meth:`series` renders them, and
    renders a project's series again only after its usage has changed.
    """

    def __init__(self) -> None:
        # By project id: since when it has been out of scope.
        self._gone: dict[str, datetime.datetime] = {}
        self._lock = threading.Lock()
        self._totals: dict[str, defaultdict[tuple[str, str], float]] = defaultdict(lambda: defaultdict(float))
        self._rendered: dict[str, bytes] = {}
        self._keys: dict[tuple[str, str], tuple[str, str]] = {}

    def add(self, project_id: str, usage: Iterable[model.Usage]) -> None:
        """Counts stored usage of a project."""
        with self._lock:
            totals = self._totals[project_id]
            for entry in usage:
                key = entry.service, entry.unit
                if key not in totals:
                    # All projects share one tuple, to save memory.
                    key = self._keys.setdefault(key, key)
                totals[key] += float(entry.volume)
            self._rendered.pop(project_id, None)
            self._gone.pop(project_id, None)

    def drop_gone(self, in_scope: Container[str], now: datetime.datetime) -> None:
        """Drops the series of projects that have been out of scope for a day. They would stay until a restart.

        :param in_scope: ids of the projects in scope now.
        """
        with self._lock:
            absent = [project_id for project_id in self._totals if project_id not in in_scope]
            self._gone = {project_id: self._gone.get(project_id, now) for project_id in absent}
            for project_id, since in list(self._gone.items()):
                if now - since >= _KEEP:
                    del self._totals[project_id], self._gone[project_id]
                    self._rendered.pop(project_id, None)

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(_DEFINITION.full_name, _DEFINITION.documentation, labels=_DEFINITION.labels)

    def series(self) -> bytes:
        """Renders the series, which look the same in the text format and in OpenMetrics."""
        with self._lock:
            projects = list(self._totals)
        return b"".join([self._project_series(project_id) for project_id in projects])

    def _project_series(self, project_id: str) -> bytes:
        with self._lock:
            if project_id not in self._totals:  # just dropped
                return b""
            if project_id not in self._rendered:
                self._rendered[project_id] = _render(project_id, self._totals[project_id])
            return self._rendered[project_id]


def _render(project_id: str, totals: _Totals) -> bytes:
    prefix = f'{_DEFINITION.full_name}{{project_id="{_escape(project_id)}"'
    return "".join(
        f'{prefix},service="{_escape(service)}",unit="{_escape(unit)}"}} {_format_value(total)}\n'
        for (service, unit), total in totals.items()
    ).encode()


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
