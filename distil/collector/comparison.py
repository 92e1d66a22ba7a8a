# SPDX-License-Identifier: Apache-2.0
"""Windows that are compared with what the telemetry service holds of them now."""

import enum
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple
from typing import Protocol

from distil import model
from distil.db.documents import Documents
from distil.db.late_windows import NewLateWindow
from distil.db.late_windows import WindowKey
from distil.db.receipts import StoredReceipt
from distil.db.rechecks import RecheckMethod
from distil.rating import rules_document


class Finding(enum.Enum):
    """What a comparison finds of a window.

    ``NOT_HELD``: the service holds no sample of any project any more, so that nothing can be compared.
    ``UNRECORDED``: it was stored before there were receipts.
    """

    EQUAL = "equal"
    LATE = "late"
    NEVER_COLLECTED = "never collected"
    NOT_HELD = "not held"
    UNRECORDED = "unrecorded"


class MeterDifference(NamedTuple):
    """A meter of which the telemetry service holds other samples than were collected.

    :param meter: None: as many of each meter, but others.
    :param collected: number of samples.
    :param held: number of samples that the service holds now.
    """

    meter: str | None
    collected: int
    held: int


class ComparedWindow(NamedTuple):
    """A window and what was found of it.

    :param held: number of samples that the telemetry service holds now.
    :param revision: of the receipt; None without one.
    """

    project_id: str
    window: model.Window
    finding: Finding
    held: int
    revision: int | None = None
    differences: Sequence[MeterDifference] = ()

    @property
    def is_late(self) -> bool:
        """Whether the telemetry service holds other samples than were collected."""
        return self.finding in (Finding.LATE, Finding.NEVER_COLLECTED)

    @property
    def key(self) -> WindowKey:
        return WindowKey(self.project_id, self.window.start)

    def as_late(self) -> NewLateWindow:
        """The window as it is stored if it is late."""
        return NewLateWindow(self.project_id, self.window, self.held, self.revision)


class Comparison(Protocol):
    """A way to compare windows with the telemetry service."""

    method: RecheckMethod

    def compare(self, period: model.Window) -> Iterator[ComparedWindow]:
        """Compare the windows that begin in a period.

        :raises TelemetryError: the service gave no usable answer.
        :raises StoreError: the database failed.
        :raises NotFound: the rules of a window are missing.
        :raises ShutdownRequested: a shutdown was requested.
        """


class RecordedMeters:
    """The meters that windows were rated by. Each document is read once."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._meters: dict[int, frozenset[str]] = {}

    def load(self, rules: Iterable[int]) -> Mapping[int, frozenset[str]]:
        """The meters of documents of rules, by id.

        :raises NotFound: a document is missing.
        :raises StoreError: the database failed.
        """
        missing = set(rules) - self._meters.keys()
        for document_id, document in self._documents.load(missing).items():
            self._meters[document_id] = rules_document.meters(document.body)
        return self._meters


def judge(receipt: StoredReceipt, held: Mapping[str, int], is_held: bool, is_other: bool = False) -> ComparedWindow:
    """Compare a window.

    :param held: number of samples by meter that the service holds of the window now, of each of the receipt's rules.
    :param is_held: whether the service holds samples of any project.
    :param is_other: whether the samples differ even if there are as many.
    """
    collected = {name: receipt.contents.meters[name].samples for name in held if name in receipt.contents.meters}
    differences = [
        MeterDifference(name, collected.get(name, 0), number)
        for name, number in sorted(held.items())
        if number != collected.get(name, 0)
    ]
    total = sum(held.values())
    if is_other and not differences:
        differences = [MeterDifference(None, receipt.contents.samples, total)]
    finding = Finding.EQUAL
    if differences:
        finding = Finding.LATE if is_held else Finding.NOT_HELD
    return ComparedWindow(receipt.project_id, receipt.window, finding, total, receipt.revision, differences)
