# SPDX-License-Identifier: Apache-2.0
"""The rules and names by which windows are rated when they are collected again."""

import enum
import json
from typing import NamedTuple

from distil import distributions
from distil import exceptions
from distil.collector.replay import RecordedRules
from distil.db.documents import DocumentKind
from distil.db.documents import Documents
from distil.db.receipts import StoredReceipt
from distil.rating import rules_document
from distil.rating.rate import RatingRules


class RulesChoice(enum.StrEnum):
    """By which rules windows are rated."""

    RECORDED = "recorded"
    CURRENT = "current"


class WindowRules(NamedTuple):
    """What a window is rated by.

    :param document: the rules as text, for the new receipt.
    :param names: document of names that are known; others are looked up. None: all are.
    """

    rules: RatingRules
    document: str
    names: str | None


class RecollectionRules:
    """Chooses by which rules windows are rated: those of their receipt, or those of today.

    Windows without a receipt are rated by today's. Names that were recorded stay as they were; by today's rules, those
    that were unknown then are looked up again.

    Its methods raise StoreError if the database fails.

    :param current: the rules of today.
    :param current_document: the same as text.
    """

    def __init__(
        self,
        *,
        documents: Documents,
        recorded: RecordedRules,
        current: RatingRules,
        current_document: str,
        choice: RulesChoice,
    ) -> None:
        self._documents = documents
        self._recorded = recorded
        self._current = current
        self._current_document = current_document
        self._choice = choice
        self._recorded_documents: dict[int, str] = {}
        self._unusable: dict[int, Exception] = {}

    def choose(self, receipt: StoredReceipt | None) -> WindowRules:
        """What to rate a window by.

        :raises NotFound: a document of its receipt is missing.
        :raises ConfigurationError: the installed versions cannot use the rules of its receipt.
        """
        if receipt is None:
            return WindowRules(self._current, self._current_document, None)
        if self._choice is RulesChoice.CURRENT:
            names = _without_unknown(self._recorded.names(receipt))
            return WindowRules(self._current, self._current_document, names)
        if receipt.rules in self._unusable:
            raise self._unusable[receipt.rules]
        try:
            rules = self._recorded.rules(receipt).rules
        except (exceptions.NotFound, exceptions.ConfigurationError) as error:
            self._unusable[receipt.rules] = error
            raise
        return WindowRules(rules, self._recorded_document(receipt.rules), self._recorded.names(receipt))

    def store_rules(self, document: str) -> int:
        """The id of a document of rules."""
        return self._documents.store(DocumentKind.RULES, document)

    def store_names(self, document: str) -> int:
        """The id of a document of names."""
        return self._documents.store(DocumentKind.NAMES, document)

    def _recorded_document(self, document_id: int) -> str:
        """The same rules with the versions of the programs that rate now."""
        if document_id not in self._recorded_documents:
            body = self._documents.load([document_id])[document_id].body
            document = json.loads(body)
            names = rules_document.transformer_names(document["mappings"])
            document["versions"] = distributions.versions_for(names)
            self._recorded_documents[document_id] = json.dumps(document, sort_keys=True)
        return self._recorded_documents[document_id]


def _without_unknown(document: str) -> str:
    """The names of a document that were found."""
    names = {
        lookup: {key: name for key, name in answers.items() if name is not None}
        for lookup, answers in json.loads(document).items()
    }
    return json.dumps(names)
