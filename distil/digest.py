# SPDX-License-Identifier: Apache-2.0
"""Digests of what goes into a window and comes out of it, for its receipt.

A digest is ``1:`` and the SHA-256, in hexadecimal digits, of a JSON array in UTF-8, without blanks, and with no
character escaped that JSON allows; a lone surrogate, which UTF-8 does not have, is escaped. The digit is the version of
the format: stored digests are compared for years, so what one version digests never changes.
"""

import hashlib
import json
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence

import msgspec

from distil import model

_VERSION = "1"


class SampleRow(msgspec.Struct, frozen=True, order=True, array_like=True, gc=False):
    """What the digest of samples has of a sample: everything that tells it from others, as text."""

    meter: str
    resource_id: str
    timestamp: str
    id: str
    volume: str


def samples_digest(rows: Sequence[SampleRow]) -> str:
    """The digest of a window's samples.

    :param rows: sorted.
    """
    return _digest(rows)


def usage_digest(usage: Collection[model.Usage]) -> str:
    """The digest of a window's usage, in any order: its service, resource, unit, and volume with ten decimal places."""
    return _digest(
        sorted([entry.service, entry.resource_id, entry.unit, f"{entry.volume:.{model.SCALE}f}"] for entry in usage)
    )


def windows_digest(windows: Iterable[tuple[model.Window, str]]) -> str:
    """The digest of a project's usage in a period: of the start, the end and the usage digest of each window.

    :param windows: in the order of their start, those that have usage.
    """
    return _digest([[window.start.isoformat(), window.end.isoformat(), digest] for window, digest in windows])


def document_digest(body: str) -> str:
    """The digest of a document of rules or names: the SHA-256 of its text in UTF-8."""
    return _sha256(body.encode())


def _digest(rows: Sequence[object]) -> str:
    try:
        return _sha256(msgspec.json.encode(rows))
    except UnicodeEncodeError:  # a lone surrogate; slower, and otherwise the same
        text = json.dumps(msgspec.to_builtins(rows), ensure_ascii=False, separators=(",", ":"))
        return _sha256(text.encode(errors="backslashreplace"))


def _sha256(data: bytes) -> str:
    return f"{_VERSION}:{hashlib.sha256(data).hexdigest()}"
