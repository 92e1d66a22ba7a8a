# SPDX-License-Identifier: Apache-2.0
"""Everything that Distil Collector raises on purpose, in one tree.

What a library raises is translated where it comes in (``telemetry``, ``cloud``, ``db``), with the cause kept.
"""

import enum
from collections.abc import Iterable


class DistilError(Exception):
    """The base of all of them."""


class ConfigurationError(DistilError):
    """The configuration, or a file that it names, cannot be used.

    :param problems: every problem found, each a full sentence that names file, entry and value.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class NotFound(DistilError):
    """What was asked for does not exist."""


class RejectionReason(enum.StrEnum):
    """What is wrong with a sample that is rejected, in a word. Metrics count by it; people read the reason."""

    DOCUMENT = "document"
    PROJECT_ID = "project_id"
    METER = "meter"
    TIMESTAMP = "timestamp"
    RESOURCE_ID = "resource_id"
    SOURCE = "source"
    METADATA = "metadata"
    VOLUME = "volume"
    EXPRESSION = "expression"
    LOOKUP = "lookup"
    SERVICE = "service"
    UNIT = "unit"
    TRANSFORMER = "transformer"


class SampleRejected(DistilError):
    """A sample cannot be used.

    :param reason: what is kept with it.
    """

    def __init__(self, reason: str, flaw: RejectionReason = RejectionReason.TRANSFORMER) -> None:
        self.kind = flaw
        super().__init__(reason)


class ServiceError(DistilError):
    """A service that a run depends on gave no usable answer. The same question may succeed later."""


class IdentityError(ServiceError):
    """Keystone gave no usable answer."""


class TelemetryError(ServiceError):
    """The telemetry service gave no usable answer, or only a part of it."""


class LookupUnavailable(ServiceError):
    """A service that is asked for names (flavors, volume types, ...) gave no usable answer."""


class StoreError(ServiceError):
    """The database did not do what it was asked."""


class CoordinationError(ServiceError):
    """The backend that knows a collector's other members gave no usable answer."""


class ShutdownRequested(DistilError):
    """The process was asked to stop, so no new transaction begins."""


class WindowAlreadyCommitted(DistilError):
    """The window has been committed already, by another collector or by an earlier try."""


class ReprocessingRefused(DistilError):
    """Rejected samples are not billed, lest something is lost or billed twice; the message says why."""


class ProjectReassigned(DistilError):
    """The project is another collector's to collect by now."""
