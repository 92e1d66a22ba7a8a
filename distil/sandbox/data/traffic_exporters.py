# SPDX-License-Identifier: Apache-2.0
"""Counters of traffic, as exporters of the operator's own have them: no others count it."""

from distil.sandbox.data.meters import METERS
from distil.sandbox.data.meters import MeteredResource
from distil.sandbox.data.scraped_metric import Labels
from distil.sandbox.data.scraped_metric import ScrapedMetric
from distil.sandbox.data.scraped_metric import metadata_at

_SCOPES = ("international", "national")


def _router(meter: str, direction: str, scope: str) -> ScrapedMetric:
    def labels(resource: MeteredResource, tick: int) -> Labels:
        name = metadata_at(meter, resource, tick)["name"]
        return {"direction": direction, "scope": scope, "router_id": resource.id, "router_name": name}

    return ScrapedMetric(
        "router_bytes_total", "router", meter, "project_id", labels, METERS[meter].volume, is_counter=True
    )


def _swift(meter: str, direction: str, scope: str) -> ScrapedMetric:
    def labels(resource: MeteredResource, tick: int) -> Labels:
        name = metadata_at(meter, resource, tick)["name"]
        return {"direction": direction, "scope": scope, "container": resource.id, "name": name}

    return ScrapedMetric(
        "swift_bytes_total", "swift", meter, "project_id", labels, METERS[meter].volume, is_counter=True
    )


METRICS = (
    *(
        _router(f"traffic.{word}.{scope}", direction, scope)
        for word, direction in (("outbound", "out"), ("inbound", "in"))
        for scope in _SCOPES
    ),
    *(
        _swift(f"storage.objects.{direction}.size.{scope}", direction, scope)
        for direction in ("download", "upload")
        for scope in _SCOPES
    ),
)
