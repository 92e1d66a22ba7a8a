# SPDX-License-Identifier: Apache-2.0
"""Rejected samples are rated again, and billed once where that works now."""

import dataclasses
import enum
import json
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Sequence

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.collector.distros import AskDistro
from distil.collector.distros import annotate_os_distro
from distil.db import rejected_samples
from distil.db.rejected_samples import RejectedSampleFilter
from distil.db.rejected_samples import StoredRejectedSample
from distil.db.store import Store
from distil.rating import sample_parser
from distil.rating.rate import RatingRules
from distil.rating.rerate import Rerated
from distil.rating.rerate import rerate
from distil.rating.rerate import unbilled
from distil.rating.resource import may_be_of
from distil.transformers.lookups import Lookups


class ReprocessResult(enum.StrEnum):
    """What became of a sample. All but those that are billed are kept."""

    BILLED = "billed"
    WOULD_BE_BILLED = "would be billed"
    STILL_REJECTED = "still rejected"
    BILLED_ALREADY = "billed already"
    NO_USAGE = "no usage"
    REFUSED = "refused"
    FAILED = "failed"

    @property
    def is_good(self) -> bool:
        return self in (ReprocessResult.BILLED, ReprocessResult.WOULD_BE_BILLED)


@dataclasses.dataclass(frozen=True, slots=True)
class ReprocessedSample:
    """:param detail: what is billed, or why it is not."""

    sample: StoredRejectedSample
    result: ReprocessResult
    detail: str


@dataclasses.dataclass(frozen=True)
class _Resource:
    """A resource with its rejected samples in one window, and what is to be billed of it."""

    samples: Sequence[StoredRejectedSample]
    again: Rerated
    stored: Sequence[model.Usage]
    usage: Sequence[model.Usage]

    @property
    def used(self) -> list[int]:
        return [sample.id for sample in self.samples if sample.id not in self.again.reasons] if self.usage else []

    def outcomes(self, billed: ReprocessResult) -> Iterator[ReprocessedSample]:
        if self.usage:
            result, detail = billed, _shown(self.usage)
            detail += f"; stored besides: {_shown(self.stored)}" if self.stored else ""
        elif self.again.rated.usage:
            result = ReprocessResult.BILLED_ALREADY
            detail = f"stored: {_shown(self.stored)}; these samples alone: {_shown(self.again.rated.usage)}"
        else:
            result, detail = (
                ReprocessResult.NO_USAGE,
                "no meter mapping makes usage of it, or its source is not trusted",
            )
        for sample in self.samples:
            reason = self.again.reasons.get(sample.id)
            yield (
                ReprocessedSample(sample, result, detail)
                if reason is None
                else ReprocessedSample(sample, ReprocessResult.STILL_REJECTED, reason)
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reprocessor:
    """Tries again what was rejected.

    :param dry_run: tell what would be billed, and store nothing.
    :param force: bill, too, what may have been billed by other samples of the resource, under another name.
    """

    rules: RatingRules
    lookups: Lookups
    os_distro: AskDistro
    engine: sa.Engine
    dry_run: bool = False
    force: bool = False

    def run(self, chosen: RejectedSampleFilter) -> Iterator[ReprocessedSample]:
        """What became of each sample, window by window: each of them is stored before it is told.

        With a sample go the others that are kept of its resource and window. The first window for which a service gives
        no answer is the last.
        """
        for project_id, window in rejected_samples.windows(self.engine, chosen):
            samples = rejected_samples.with_their_resources(self.engine, chosen, project_id, window)
            try:
                yield from self._window(project_id, window, samples)
            except exceptions.ReprocessingRefused as error:
                yield from (ReprocessedSample(sample, ReprocessResult.REFUSED, str(error)) for sample in samples)
            except exceptions.ServiceError as error:
                yield from (ReprocessedSample(sample, ReprocessResult.FAILED, str(error)) for sample in samples)
                return

    def _window(
        self, project_id: str, window: model.Window, samples: Sequence[StoredRejectedSample]
    ) -> Sequence[ReprocessedSample]:
        rejected_samples.require_collected(self.engine, project_id, window)
        by_resource: dict[str | None, list[StoredRejectedSample]] = defaultdict(list)
        for sample in samples:
            by_resource[sample.resource_id].append(sample)
        stored = rejected_samples.usage(self.engine, project_id, window)
        resources = [self._rated(window, group, stored) for group in by_resource.values()]
        if not self.dry_run:
            self._bill(project_id, window, [resource for resource in resources if resource.usage])
        billed = ReprocessResult.WOULD_BE_BILLED if self.dry_run else ReprocessResult.BILLED
        return [outcome for resource in resources for outcome in resource.outcomes(billed)]

    def _rated(
        self, window: model.Window, kept: Sequence[StoredRejectedSample], billed: Sequence[model.Usage]
    ) -> _Resource:
        samples = {sample.id: _read(sample) for sample in kept}
        again = rerate(self.rules, samples, window, self.lookups)
        ids = {sample.resource_id for sample in samples.values() if sample.resource_id is not None}
        stored = [entry for entry in billed if any(may_be_of(entry.resource_id, each) for each in ids)]
        usage = unbilled(again.rated.usage, stored, force=self.force)
        return _Resource(kept, again, stored, usage)

    def _bill(self, project_id: str, window: model.Window, resources: Sequence[_Resource]) -> None:
        if not resources:
            return
        told: Sequence[model.Resource] = [resource for each in resources for resource in each.again.rated.resources]
        machines = {key: sample for each in resources for key, sample in each.again.rated.instances.items()}
        known = Store(self.engine).project(project_id).resource_info([resource.id for resource in told])
        usage = [entry for each in resources for entry in each.usage]
        used = [sample_id for each in resources for sample_id in each.used]
        told = annotate_os_distro(self.os_distro, machines, known, told)
        rejected_samples.bill(self.engine, project_id, window, usage, told, used)


def _read(kept: StoredRejectedSample) -> model.Sample | model.RejectedSample:
    try:
        document: object = json.loads(kept.sample)
    except (RecursionError, ValueError):
        document = {"sample": kept.sample}
        reason = "it cannot be read: it was too long to be kept whole, or is nested too deep"
        return model.RejectedSample(kept.project_id, kept.meter, kept.resource_id, reason, document)
    return sample_parser.parse_sample(document, kept.project_id, kept.meter)


def _shown(usage: Sequence[model.Usage]) -> str:
    return ", ".join(
        f"{entry.service} {entry.volume.normalize():f} {entry.unit} of {entry.resource_id}" for entry in usage
    )
