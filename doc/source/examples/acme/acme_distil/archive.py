# SPDX-License-Identifier: Apache-2.0
"""A telemetry driver for a service that keeps samples as JSON and answers in pages."""

import datetime
from collections.abc import Collection
from collections.abc import Iterator
from typing import Any

from keystoneauth1 import exceptions as ks_exceptions

from distil import exceptions
from distil import model
from distil.rating import sample_parser
from distil.telemetry.driver import TelemetryDriver


class ArchiveDriver(TelemetryDriver):
    """Asks for one project and one meter at a time."""

    service_type = "usage-archive"

    def samples(
        self,
        projects: Collection[str],
        meters: Collection[str],
        start: datetime.datetime,
        end: datetime.datetime,
    ) -> Iterator[model.Sample | model.RejectedSample]:
        window = model.Window(start, end)
        for project_id in projects:
            for meter in meters:
                question = {"project": project_id, "meter": meter, "from": start.isoformat(), "to": end.isoformat()}
                for document in self._documents(question):
                    sample = sample_parser.parse_sample(document, project_id, meter)
                    if isinstance(sample, model.RejectedSample) or sample.timestamp in window:
                        yield sample

    def _documents(self, question: dict[str, str]) -> Iterator[object]:
        """All pages. The last one says that it is: its ``next`` is null."""
        marker: str | None = ""
        while marker is not None:
            page = self._page({**question, "marker": marker})
            try:
                documents, marker = list(page["samples"]), page["next"]
            except (KeyError, TypeError) as error:
                raise exceptions.TelemetryError(f"archive, {question}: the answer is no page") from error
            yield from documents

    def _page(self, parameters: dict[str, str]) -> Any:
        where = {"service_type": self.service_type, "interface": self._interface, "region_name": self._region_name}
        try:
            return self._session.get("/samples", endpoint_filter=where, params=parameters).json()
        except (ks_exceptions.ClientException, ValueError) as error:
            raise exceptions.TelemetryError(f"archive, {parameters}: {error}") from error
