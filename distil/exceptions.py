# SPDX-License-Identifier: Apache-2.0
"""The exceptions of Distil Collector.

Exceptions of libraries are translated into these at the boundary (``telemetry``, ``cloud``, ``db``), with their cause.
"""

import enum
from collections.abc import Iterable


class DistilError(Exception):
    """The base class."""


class ConfigurationError(DistilError):
    """The configuration, or a file that it names, is invalid.

    :param problems: all problems found, each a full sentence that names file, entry and value.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class NotFound(DistilError):
    """The requested object does not exist."""


class RejectionReason(enum.StrEnum):
    """What is wrong with a rejected sample: the label by which metrics count rejected samples."""

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

    :param reason: sentence for operators, stored with the sample.
    :param kind: label for metrics.
    """

    def __init__(self, reason: str, kind: RejectionReason = RejectionReason.TRANSFORMER) -> None:
        self.kind = kind
        super().__init__(reason)


class ServiceError(DistilError):
    """A service gave no usable answer. The same request may succeed later.

    :param reason: what is wrong.
    :param request: what was asked for, which precedes the reason in the message.
    :param affects_all: whether every request to the service fails for this reason, whatever it asks for.
    """

    def __init__(self, reason: str = "", *, request: str = "", affects_all: bool = False) -> None:
        self.reason = reason
        self.affects_all = affects_all
        super().__init__(f"{request}: {reason}" if request else reason)

    @property
    def is_too_large(self) -> bool:
        """Whether the cause is a response that is too large, so that a smaller question may succeed."""
        return isinstance(self.__cause__, ResponseTooLarge)


class ResponseTooLarge(ServiceError):
    """A response is larger than the limit. Smaller questions may succeed."""


class IdentityError(ServiceError):
    """Keystone gave no usable answer."""


class TelemetryError(ServiceError):
    """The telemetry service gave no usable answer, or an incomplete one."""


class PeriodIncomplete(TelemetryError):
    """Samples of a period are still to come, or cannot be read any more. No project's are complete."""

    def __init__(self, reason: str, *, request: str = "") -> None:
        super().__init__(reason, request=request, affects_all=True)


class LookupUnavailable(ServiceError):
    """A service that names are looked up in (flavors, volume types, ...) gave no usable answer."""


class StoreError(ServiceError):
    """A database operation failed."""


class SchemaError(DistilError):
    """The database is at a revision, or has an encoding, that cannot be used. It stays so until somebody acts."""


class CoordinationError(ServiceError):
    """The coordination backend gave no usable answer."""


class ServiceOutage(DistilError):
    """A service answers nothing, whichever project is asked for. Each project would fail for the same reason.

    :param after_request: whether a request of the project preceded it, which may be what the service hangs on.
    """

    def __init__(self, message: str = "", *, after_request: bool = False) -> None:
        self.after_request = after_request
        super().__init__(message)


class NothingCollected(DistilError):
    """A run collected no usage although it should have; the message gives the reason."""


class ShutdownRequested(DistilError):
    """The process is shutting down; no new transaction is started."""


class WindowAlreadyCommitted(DistilError):
    """The window has already been committed, by another collector or an earlier attempt."""


class WindowDeferred(DistilError):
    """Whether the window may be committed depends on other projects' windows, which are looked at later in the run."""


class MetersVanished(DistilError):
    """The window lacks what many projects had until then; it is not committed yet, because telemetry may be wrong."""


class WindowChanged(DistilError):
    """A stored window has been changed since it was read, so that the new change has to be computed again."""


class ReprocessingRefused(DistilError):
    """Rejected samples were not billed, because usage could be lost or billed twice; the message gives the reason."""


class Refused(DistilError):
    """A change that an operator asked for was refused, because usage could be lost or stored twice; nothing changed."""


class ProjectReassigned(DistilError):
    """The project has been reassigned to another collector."""
