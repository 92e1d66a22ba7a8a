# SPDX-License-Identifier: Apache-2.0
"""Builds what fetches samples from a telemetry service, and notices if that answers nothing."""

from collections.abc import Sequence

from distil import exceptions
from distil.cloud.outage import PATIENCE_SECONDS
from distil.cloud.outage import OutageDetector
from distil.collector.samples import SampleFetcher
from distil.collector.shutdown import Shutdown
from distil.telemetry.driver import TelemetryDriver


def build_fetcher(
    telemetry: TelemetryDriver, meters: Sequence[str], shutdown: Shutdown, patience: float = PATIENCE_SECONDS
) -> SampleFetcher:
    """What fetches samples.

    :param meters: names of the meters.
    :param patience: seconds to wait for a service that does not answer.
    """
    service = f"telemetry ({telemetry.service_type})"
    outages = OutageDetector(service, exceptions.TelemetryError, shutdown.event, patience)
    return SampleFetcher(telemetry, meters, shutdown, outages)
