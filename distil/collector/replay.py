# SPDX-License-Identifier: Apache-2.0
"""Rates windows that are collected already, again: with other samples, other rules or other names.

Usage depends on samples, rules and names only, so a difference between two usages of a window has one of these causes.
Nothing here stores anything.
"""

import dataclasses
from collections.abc import Sequence

from distil import model
from distil.db.documents import Document
from distil.db.documents import Documents
from distil.db.receipts import StoredReceipt
from distil.rating import rules_document
from distil.rating.explain import ExplainedWindow
from distil.rating.explain import explain
from distil.rating.mapping_parser import Plugins
from distil.rating.rate import RatingRules
from distil.rating.rate import rate
from distil.rating.receipt import make_receipt
from distil.rating.rules_document import ParsedRules
from distil.telemetry.driver import TelemetryDriver
from distil.transformers.lookups import Lookups
from distil.transformers.lookups import RecordingLookups
from distil.transformers.lookups import recorded_lookups

Samples = Sequence[model.Sample | model.RejectedSample]


@dataclasses.dataclass(frozen=True)
class ReplayedWindow:
    """A window that was rated again.

    :param samples: what it was rated from.
    :param names: the names that were looked up.
    :param names_document: the same as JSON.
    """

    window: model.Window
    samples: Samples
    rated: model.RatedWindow
    receipt: model.Receipt
    names: Lookups
    names_document: str


class RecordedRules:
    """The rules that windows were rated by. Each document is read once.

    :param plugins: the installed transformers by name.
    """

    def __init__(self, documents: Documents, plugins: Plugins) -> None:
        self._documents = documents
        self._plugins = plugins
        self._rules: dict[int, ParsedRules] = {}

    def rules(self, receipt: StoredReceipt) -> ParsedRules:
        """The rules that a window was rated by.

        :raises NotFound: their document is missing.
        :raises ConfigurationError: the installed versions cannot use them.
        :raises StoreError: the database failed.
        """
        if receipt.rules not in self._rules:
            self._rules[receipt.rules] = rules_document.parse(self.document(receipt).body, self._plugins)
        return self._rules[receipt.rules]

    def document(self, receipt: StoredReceipt) -> Document:
        """The document of the rules that a window was rated by.

        :raises NotFound: it is missing.
        :raises StoreError: the database failed.
        """
        return self._documents.load([receipt.rules])[receipt.rules]

    def names(self, receipt: StoredReceipt) -> str:
        """The document of the names that a window was rated with.

        :raises NotFound: it is missing.
        :raises StoreError: the database failed.
        """
        return self._documents.load([receipt.names])[receipt.names].body


class Replayer:
    """Rates windows again.

    :param lookups: answers for names that were not recorded.
    """

    def __init__(self, *, telemetry: TelemetryDriver, lookups: Lookups, rules: RecordedRules) -> None:
        self._telemetry = telemetry
        self._lookups = lookups
        self.recorded = rules

    def samples(self, project_id: str, window: model.Window, rules: RatingRules) -> Samples:
        """The samples that the telemetry service has of a window now.

        :param rules: their meters are asked for.
        :raises TelemetryError: the service gave no usable answer.
        """
        return list(self._telemetry.samples([project_id], rules.meters, window.start, window.end))

    def rate(
        self, window: model.Window, samples: Samples, rules: RatingRules, names_document: str | None
    ) -> ReplayedWindow:
        """Rate a window.

        :param names_document: names that were recorded; None: all are looked up.
        :raises LookupUnavailable: a name could not be looked up.
        """
        names = RecordingLookups(self._names(names_document))
        rated = rate(rules, samples, window, names.lookups)
        return ReplayedWindow(window, samples, rated, make_receipt(samples, rated), names.answers, names.document)

    def explain(
        self, window: model.Window, samples: Samples, rules: RatingRules, names_document: str | None
    ) -> ExplainedWindow:
        """Rate a window, and explain it.

        :param names_document: as above.
        :raises LookupUnavailable: a name could not be looked up.
        """
        return explain(rules, samples, window, self._names(names_document))

    def _names(self, document: str | None) -> Lookups:
        return self._lookups if document is None else recorded_lookups(document, self._lookups)
