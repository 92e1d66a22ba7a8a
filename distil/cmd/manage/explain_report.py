# SPDX-License-Identifier: Apache-2.0
"""What ``usage explain`` reports, as values of JSON's types."""

import dataclasses
import json
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from distil import exceptions
from distil import model
from distil.cmd.manage import base
from distil.cmd.manage.rules_text import sorted_entry
from distil.cmd.manage.window_explainer import ReplayedExplanation
from distil.collector.reproduction import recorded_at
from distil.db.stored_windows import StoredWindow
from distil.rating.explain import ExplainedSample
from distil.rating.explain import Explanation
from distil.rating.resource import may_belong_to
from distil.text import plain_number
from distil.text import to_info_value

Report = dict[str, Any]
_Key = tuple[str, str, str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Choice:
    """The entries to report: of a service and of a resource, by its id as stored or as telemetry uses it."""

    service: str | None
    resource: str | None

    def has_entry(self, key: _Key, sources: Iterable[Explanation]) -> bool:
        ids = {key[1], *(source.resource_id for source in sources)}
        return self.service in (None, key[0]) and (self.resource is None or self.resource in ids)

    def has_unbilled(self, explanation: Explanation) -> bool:
        telemetry_id = explanation.resource_id
        is_chosen = self.resource is None or (telemetry_id and may_belong_to(self.resource, telemetry_id))
        return self.service in (None, explanation.mapping.service) and bool(is_chosen)


class ReportBuilder:
    """Builds the report of a window that was rated again."""

    def __init__(self, collected: StoredWindow, result: ReplayedExplanation) -> None:
        self._collected = collected
        self._explained = result.explained
        self._rules = result.rules
        self._revisions = result.revisions
        self._document = json.loads(result.rules.body)
        # A mapping may replace a sample, but not its document.
        self._late = {id(sample.document) for sample in result.late}

    def build(self, choice: Choice) -> Report:
        """The report without the verdict.

        :raises NotFound: nothing in the window is chosen.
        """
        entries = list(self._entries(choice))
        unbilled = [
            self._derivation(explanation)
            for explanation in self._explained.explanations
            if (not explanation.transformed or explanation.refusal is not None) and choice.has_unbilled(explanation)
        ]
        window = self._collected.window
        if not entries and not unbilled and (choice.service or choice.resource):
            chosen = " and ".join(f"{name} {value!r}" for name, value in vars(choice).items() if value)
            raise exceptions.NotFound(f"window {window} has neither a usage entry nor samples of {chosen}")
        return {
            "project_id": self._collected.project_id,
            "window": {"start": base.format_time(window.start), "end": base.format_time(window.end)},
            "receipt": self._receipt(),
            "revisions": [
                {
                    "revision": revision.revision + 1,
                    "made": base.format_time(revision.changed),
                    "by": revision.changed_by,
                    "reason": revision.reason,
                }
                for revision in self._revisions
            ],
            "rules": {
                "digest": self._rules.digest,
                "since": self._rules.since,
                "replaces": self._rules.replaces,
                "trust_sources": self._document["trust_sources"],
            },
            "entries": entries,
            "not_billed": unbilled,
        }

    def _receipt(self) -> Report | None:
        receipt = self._collected.receipt
        if receipt is None:
            return None
        counts = ("samples", "used", "untrusted", "duplicates", "rejected", "entries", "samples_digest", "usage_digest")
        return {
            "committed": base.format_time(receipt.committed),
            "collector": receipt.collector,
            "telemetry": receipt.telemetry,
            "revision": receipt.revision,
            "suspect": receipt.suspect,
            "closed_period": receipt.closed_period,
            **{name: getattr(receipt.contents, name) for name in counts},
        }

    def _entries(self, choice: Choice) -> Iterator[Report]:
        sources: dict[_Key, list[Explanation]] = {_key(usage): [] for usage in self._collected.usage}
        for explanation in self._explained.explanations:
            if explanation.refusal is None:
                for usage in explanation.transformed:
                    sources.setdefault(_key(usage), []).append(explanation)
        stored, computed = (
            {_key(usage): plain_number(usage.volume) for usage in usages}
            for usages in (self._collected.usage, self._explained.rated.usage)
        )
        for key, explanations in sorted(sources.items()):
            if choice.has_entry(key, explanations):
                yield {
                    **dict(zip(("service", "resource_id", "unit"), key, strict=True)),
                    "stored": stored.get(key),
                    "computed": computed.get(key),
                    "derivations": list(map(self._derivation, explanations)),
                }

    def _derivation(self, explanation: Explanation) -> Report:
        entry = self._document["mappings"][explanation.number - 1]
        options = {**self._document["transformers"].get(entry["transformer"], {})}
        return {
            "entry": explanation.number,
            "mapping": sorted_entry(entry),
            "transformer_options": options | (entry.get("transformer_config") or {}),
            "resource_id": explanation.resource_id or None,
            "samples": list(map(self._sample, explanation.samples)),
            "names": dict(explanation.names),
            "steps": list(explanation.steps),
            "usage": [
                {"service": usage.service, "volume": plain_number(usage.volume), "unit": usage.unit}
                for usage in explanation.transformed
            ],
            "rejected": explanation.refusal,
        }

    def _sample(self, explained: ExplainedSample) -> Report:
        sample, kept = explained.sample, explained.kept
        document = sample.document
        is_late = id(document) in self._late
        time, volume, source, sample_id = map(_plain, map(document.get, ("timestamp", "volume", "source", "id")))
        return {
            "time": base.format_time(sample.timestamp) if isinstance(sample, model.Sample) else time,
            "volume": volume,
            "used_volume": None if explained.volume is None else plain_number(explained.volume),
            "source": source,
            "id": sample_id,
            "outcome": explained.outcome.value,
            "reason": explained.reason or None,
            "counts_instead": None if kept is None else _plain(kept.document.get("timestamp")),
            "recorded": base.format_time(recorded_at(sample)) if is_late else None,
        }


def _plain(value: Any) -> Any:
    """A value of a sample, short and as JSON can have it."""
    return None if value is None else to_info_value(value)


def _key(usage: model.Usage) -> _Key:
    return usage.service, usage.resource_id, usage.unit
