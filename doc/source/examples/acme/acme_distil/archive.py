# SPDX-License-Identifier: Apache-2.0
"""A telemetry driver for a service that stores samples as JSON and returns them in pages."""

import datetime
from collections.abc import Collection
from collections.abc import Iterator
from typing import Any

from keystoneauth1 import exceptions as ks_exceptions

from distil import plugin


class ArchiveDriver(plugin.TelemetryDriver):
    """Queries one project and one meter at a time."""

    service_type = "usage-archive"

    def samples(
        self,
        projects: Collection[str],
        meters: Collection[str],
        start: datetime.datetime,
        end: datetime.datetime,
    ) -> Iterator[plugin.Sample | plugin.RejectedSample]:
        window = plugin.Window(start, end)
        for project_id in projects:
            for meter in meters:
                query = {"project": project_id, "meter": meter, "from": start.isoformat(), "to": end.isoformat()}
                for document in self._documents(query):
                    sample = plugin.parse_sample(document, project_id, meter)
                    if isinstance(sample, plugin.RejectedSample) or sample.timestamp in window:
                        yield sample

    def _documents(self, query: dict[str, str]) -> Iterator[object]:
        """The documents of all pages. ``next`` is null on the last page."""
        marker: str | None = ""
        while marker is not None:
            page = self._page({**query, "marker": marker})
            try:
                documents, marker = list(page["samples"]), page["next"]
            except (KeyError, TypeError) as error:
                raise plugin.TelemetryError(f"archive, {query}: the response is not a page") from error
            yield from documents

    def _page(self, params: dict[str, str]) -> Any:
        endpoint = {"service_type": self.service_type, "interface": self._interface, "region_name": self._region_name}
        try:
            return self._session.get("/samples", endpoint_filter=endpoint, params=params).json()
        except (ks_exceptions.ClientException, plugin.ResponseTooLarge, ValueError) as error:
            raise plugin.TelemetryError(f"archive, {params}: {error}") from error
