# SPDX-License-Identifier: Apache-2.0
"""Fetches samples from telemetry, of many projects and windows per request where that works."""

import datetime
import threading
from collections.abc import Mapping
from collections.abc import Sequence

from oslo_log import log

from distil import exceptions
from distil import model
from distil.cloud import request_observer
from distil.cloud.outage import OutageDetector
from distil.collector.shutdown import Shutdown
from distil.telemetry.driver import TelemetryDriver

LOG = log.getLogger(__name__)

# Samples that a request is sized for. More per request cost each sample more time: they no longer fit into a
# processor's cache.
_TARGET_SAMPLES = 2_000

# Samples at which a response is discarded to bound memory.
_MAX_SAMPLES = 4 * _TARGET_SAMPLES

# Windows, of all projects together, that one request covers at most.
_MAX_WINDOWS = 60

# Growth factor of the batch limit per success; a failure halves it (AIMD). It grows slowly, so that a service that
# only answers small requests is rarely asked a large one.
_GROWTH = 1.02

# Weight of the newest response in the moving average of samples per window.
_EWMA_WEIGHT = 0.3

# Samples between two signs of life.
_SAMPLES_PER_HEARTBEAT = 1_000


class _TooManySamples(Exception):
    """A response exceeds _MAX_SAMPLES."""


class SampleFetcher:
    """Fetches the samples of one window, or of a batch of projects and windows. Threads share it.

    A batch is an optimization: if it fails, is too large or cannot be partitioned, it yields nothing and each of its
    windows is fetched on its own.

    :param meters: names of the meters.
    :param outages: detects those of the telemetry service.
    """

    def __init__(
        self, telemetry: TelemetryDriver, meters: Sequence[str], shutdown: Shutdown, outages: OutageDetector
    ) -> None:
        self._telemetry = telemetry
        self._outages = outages
        self._meters = meters
        self._shutdown = shutdown
        self._lock = threading.Lock()
        # Moving average of samples per window; None before the first response.
        self._samples_per_window: float | None = None
        self._max_windows = float(_MAX_WINDOWS)

    @property
    def batch_size(self) -> int:
        """Number of windows, of all projects together, for the next request: at least one."""
        expected = _TARGET_SAMPLES if self._samples_per_window is None else max(1.0, self._samples_per_window)
        return max(1, min(int(self._max_windows), int(_TARGET_SAMPLES / expected)))

    def adjacent_windows(self, projects: int, wanted: int) -> int:
        """Number of adjacent windows of each project for the next request: at least one.

        :param projects: how many, at least one.
        :param wanted: windows that may be collected of each.
        """
        return 1 if self._telemetry.reads_all_projects else max(1, min(wanted, self.batch_size // projects))

    def fetch(self, project_id: str, window: model.Window) -> Sequence[model.Sample | model.RejectedSample]:
        """Fetch the samples of one window.

        :raises TelemetryError: the request failed.
        :raises ServiceOutage: the telemetry service answers nothing.
        """
        samples = self._request([project_id], window.start, window.end, limit=None)
        self._adjust(len(samples), 1)
        return samples

    def fetch_batch(
        self, project_ids: Sequence[str], windows: Sequence[model.Window]
    ) -> Mapping[str, Sequence[Sequence[model.Sample | model.RejectedSample]]]:
        """Fetch the samples of several projects in adjacent windows of equal length.

        :returns: for each project id a list with the samples of each window; empty where each window has to be fetched
            on its own.
        :raises ServiceOutage: the telemetry service answers nothing.
        """
        count = len(project_ids) * len(windows)
        if count == 1:
            return {}
        try:
            samples = self._request(project_ids, windows[0].start, windows[-1].end, _MAX_SAMPLES)
            batch = _partition(samples, project_ids, windows)
        except _TooManySamples:
            LOG.debug("%d windows have more than %d samples; fetching them one by one.", count, _MAX_SAMPLES)
            self._adjust(_MAX_SAMPLES, 1)
            return {}
        except exceptions.ServiceOutage:
            raise
        except Exception as error:
            # Of any kind: unexpected data of one project must not affect the others.
            LOG.warning("Fetching %d windows in one request failed; fetching them one by one: %s", count, error)
            with self._lock:
                self._max_windows = max(1, count // 2)
            return {}
        self._adjust(len(samples), count)
        return batch

    def _request(
        self, project_ids: Sequence[str], start: datetime.datetime, end: datetime.datetime, limit: int | None
    ) -> list[model.Sample | model.RejectedSample]:
        samples: list[model.Sample | model.RejectedSample] = []
        with (
            request_observer.attribute_requests_to(self._telemetry.service_type),
            self._outages.watch(self._telemetry.require_answer),
        ):
            for sample in self._telemetry.samples(project_ids, self._meters, start, end):
                if not len(samples) % _SAMPLES_PER_HEARTBEAT:
                    self._shutdown.heartbeat()
                    if limit is not None and len(samples) >= limit:
                        raise _TooManySamples
                samples.append(sample)
        return samples

    def _adjust(self, samples: int, windows: int) -> None:
        with self._lock:
            if windows > 1 or self._max_windows < 2:  # noqa: PLR2004 - otherwise no batch would ever be tried again
                self._max_windows = min(_MAX_WINDOWS, self._max_windows * _GROWTH)
            newest, average = samples / windows, self._samples_per_window
            self._samples_per_window = (
                newest if average is None else newest * _EWMA_WEIGHT + average * (1 - _EWMA_WEIGHT)
            )


def _partition(
    samples: Sequence[model.Sample | model.RejectedSample], project_ids: Sequence[str], windows: Sequence[model.Window]
) -> Mapping[str, Sequence[Sequence[model.Sample | model.RejectedSample]]]:
    """Partition samples by project and window; empty where a rejected sample does not tell where it belongs."""
    batch: dict[str, list[list[model.Sample | model.RejectedSample]]]
    batch = {project_id: [[] for _ in windows] for project_id in project_ids}
    start, length = windows[0].start, windows[0].end - windows[0].start
    indexes: dict[datetime.datetime, int] = {}
    for sample in samples:
        timestamp = sample.timestamp if isinstance(sample, model.Sample) else _timestamp(sample)
        if timestamp is None or sample.project_id not in batch:
            return {}
        index = indexes.get(timestamp)
        if index is None:
            index = indexes[timestamp] = (timestamp - start) // length
        if not 0 <= index < len(windows):
            return {}
        batch[sample.project_id][index].append(sample)
    return batch


def _timestamp(sample: model.RejectedSample) -> datetime.datetime | None:
    try:
        return model.parse_time(sample.document.get("timestamp"))
    except ValueError:
        return None
