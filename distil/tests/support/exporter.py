# SPDX-License-Identifier: Apache-2.0
"""Scrapes of a collector's exporter."""

import http.client
import urllib.request

from prometheus_client.parser import text_string_to_metric_families


def metrics(port: int) -> dict[str, float]:
    """Return the metrics by name; nothing where no exporter answers.

    Series of a metric are added up, those of usage by service and unit.
    """
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
            text = response.read().decode()
    except (OSError, http.client.HTTPException):
        return {}
    values: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = " ".join(filter(None, (sample.name, sample.labels.get("service"), sample.labels.get("unit"))))
            values[name] = values.get(name, 0) + sample.value
    return values
