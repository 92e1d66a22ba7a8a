# SPDX-License-Identifier: Apache-2.0
"""Digests of what goes into a window and comes out of it, for its receipt.

A digest is ``1:`` and the SHA-256, in hexadecimal digits, of a JSON array in ASCII without blanks. The digit is the
version of the format: stored digests are compared for years, so what one version digests never changes.
"""

import hashlib
import json
from collections.abc import Collection
from collections.abc import Iterable
from typing import NamedTuple

from distil import model

_VERSION = "1"


class SampleRow(NamedTuple):
    """What the digest of samples has of a sample: everything that tells it from others, as text."""

    meter: str
    resource_id: str
    timestamp: str
    id: str
    volume: str


def samples_digest(rows: Iterable[SampleRow]) -> str:
    """The digest of a window's samples.

    :param rows: sorted.
    """
    return _digest(list(rows))


def usage_digest(usage: Collection[model.Usage]) -> str:
    """The digest of a window's usage, in any order: its service, resource, unit, and volume with ten decimal places."""
    return _digest(
        sorted([entry.service, entry.resource_id, entry.unit, f"{entry.volume:.{model.SCALE}f}"] for entry in usage)
    )


def document_digest(body: str) -> str:
    """The digest of a document of rules or names: the SHA-256 of its text in UTF-8."""
    return f"{_VERSION}:{hashlib.sha256(body.encode()).hexdigest()}"


def _digest(rows: object) -> str:
    return document_digest(json.dumps(rows, separators=(",", ":")))
