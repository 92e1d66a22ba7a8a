# SPDX-License-Identifier: Apache-2.0
"""Rates a collected window again, by the rules and names that it was rated by, and explains the result."""

import dataclasses
from collections.abc import Iterator
from collections.abc import Sequence

import sqlalchemy as sa

from distil import digest
from distil import exceptions
from distil.cmd.manage import base
from distil.cmd.manage.rules_text import short_digest
from distil.collector import reproduction
from distil.collector.replay import Replayer
from distil.db import revisions
from distil.db import rules_usage
from distil.db.receipts import StoredReceipt
from distil.db.revisions import Revision
from distil.db.stored_windows import StoredWindow
from distil.factory import rules as rules_factory
from distil.factory.collector import CollectorFactory
from distil.rating import rules_document
from distil.rating.explain import ExplainedWindow
from distil.rating.rules_document import ParsedRules
from distil.rating.trace import AnySample


@dataclasses.dataclass(frozen=True, kw_only=True)
class UsedRules:
    """The rules by which a window was rated again.

    :param digest: its first digits.
    :param body: the rules as text.
    :param since: start of the project's first window that was rated by them; None: they are the current ones.
    :param replaces: why they are not those of the receipt; None: they are.
    """

    parsed: ParsedRules
    digest: str
    body: str
    since: str | None = None
    replaces: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReplayedExplanation:
    """A window that was rated again, with the explanation.

    :param late: samples that were recorded after the window was committed.
    :param problems: why the result is not what is stored, as far as that can be said; none if it is.
    """

    explained: ExplainedWindow
    rules: UsedRules
    revisions: Sequence[Revision]
    late: Sequence[AnySample]
    problems: Sequence[str]


class WindowExplainer:
    """Explains one collected window.

    :param factory: of the collector whose telemetry service is asked.
    :param replayer: asks that service.
    """

    def __init__(
        self, engine: sa.Engine, factory: CollectorFactory, replayer: Replayer, collected: StoredWindow
    ) -> None:
        self._engine = engine
        self._factory = factory
        self._replayer = replayer
        self._collected = collected

    def explain(self) -> ReplayedExplanation:
        """Ask for the samples again, and rate them.

        :raises TelemetryError: the telemetry service gave no usable answer.
        :raises LookupUnavailable: a name that was not recorded could not be looked up.
        :raises ConfigurationError: the current rules are needed and cannot be used.
        :raises StoreError: the database failed.
        """
        window, receipt = self._collected.window, self._collected.receipt
        used = self._current("the window has no receipt") if receipt is None else self._recorded(receipt)
        problems = [] if receipt is None or used.replaces is None else [used.replaces]
        names = None
        if receipt is not None:
            try:
                names = self._replayer.recorded.names(receipt)
            except exceptions.NotFound as error:
                problems.append(f"the names that were looked up are missing: {error}")
        samples = self._replayer.samples(self._collected.project_id, window, used.parsed.rules)
        explained = self._replayer.explain(window, samples, used.parsed.rules, names)
        changes = revisions.read(self._engine, self._collected.project_id, window.start)
        problems += reproduction.find_problems(self._collected, changes, used.parsed, samples, explained.rated)
        late: Sequence[AnySample] = ()
        if receipt is not None and problems:
            problems = [*self._other_telemetry(receipt), *problems]
            late = reproduction.late_samples(samples, reproduction.committed(receipt, changes))
        return ReplayedExplanation(explained=explained, rules=used, revisions=changes, late=late, problems=problems)

    def _other_telemetry(self, receipt: StoredReceipt) -> Iterator[str]:
        driver = self._factory.telemetry.backend
        if receipt.telemetry and receipt.telemetry.partition("/")[0] != driver:
            yield f"the samples are from {driver}, and the window was collected from {receipt.telemetry}"

    def _recorded(self, receipt: StoredReceipt) -> UsedRules:
        """The rules of the receipt, or else the current ones."""
        try:
            document = self._replayer.recorded.document(receipt)
            parsed = self._replayer.recorded.rules(receipt)
        except exceptions.NotFound as error:
            return self._current(f"the rules of the receipt are missing: {error}")
        except exceptions.ConfigurationError as error:
            return self._current(f"the installed programs cannot use the rules of the receipt: {error}")
        first = rules_usage.first_window(self._engine, self._collected.project_id, receipt.rules)
        return UsedRules(
            parsed=parsed, digest=short_digest(document.digest), body=document.body, since=base.format_time(first)
        )

    def _current(self, reason: str) -> UsedRules:
        body = self._factory.load_rules().document
        parsed = rules_document.parse(body, rules_factory.transformer_plugins())
        return UsedRules(parsed=parsed, digest=short_digest(digest.document_digest(body)), body=body, replaces=reason)
