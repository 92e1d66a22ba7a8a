# SPDX-License-Identifier: Apache-2.0
"""The reason of a failed connection, which HTTP libraries wrap several times in texts of their own."""

from collections.abc import Iterator

TIMED_OUT = "it timed out"


def describe(error: BaseException) -> str:
    """What an error of keystoneauth says, on one line: ``... connection to URL: Connection refused``."""
    text = " ".join(str(error).split())
    subject, _, rest = text.partition(": ")
    reason = connection_problem(error)
    return f"{subject}: {reason}" if rest and reason and "://" in subject else text


def connection_problem(error: BaseException) -> str | None:
    """What the operating system or TLS said when there was no connection; None if that is not the cause."""
    for cause in _causes(error):
        if isinstance(cause, TimeoutError):
            return TIMED_OUT
        # Those of requests are OSErrors, too, but have no number.
        if isinstance(cause, OSError) and cause.errno is not None and cause.strerror:
            return cause.strerror
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and those that it was made of, outermost first."""
    cause: BaseException | None = error
    known: list[BaseException] = []
    while cause is not None and cause not in known:
        known.append(cause)
        yield cause
        reason = getattr(cause, "reason", None)  # of urllib3
        cause = reason if isinstance(reason, BaseException) else cause.__cause__ or cause.__context__
