# SPDX-License-Identifier: Apache-2.0
"""Reprocesses rejected samples: rates them again, and bills once what can be billed now."""

import dataclasses
import enum
import json
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Sequence

import sqlalchemy as sa
import tenacity

from distil import exceptions
from distil import model
from distil.cloud.os_distro import OsDistros
from distil.cloud.os_distro import annotate_os_distro
from distil.db import rejected_samples
from distil.db import stored_windows
from distil.db.booking import RejectedSamplesBilling
from distil.db.receipt_history import Change
from distil.db.rejected_samples import RejectedSampleFilter
from distil.db.rejected_samples import StoredRejectedSample
from distil.db.store import Store
from distil.db.stored_windows import StoredWindow
from distil.rating.rate import RatingRules
from distil.rating.rerate import Rerated
from distil.rating.rerate import rerate
from distil.rating.rerate import unbilled
from distil.rating.resource import may_belong_to
from distil.rating.sample_parser import parse_sample
from distil.transformers.lookups import Lookups

REASON = "rejected retry"

# As often, a window that others change meanwhile is computed anew.
_MAX_ATTEMPTS = 5

_NO_USAGE = "no meter mapping makes usage of it, or its source is not trusted"


class ReprocessResult(enum.StrEnum):
    """What became of a sample. All but billed samples stay stored."""

    BILLED = "billed"
    WOULD_BE_BILLED = "would be billed"
    STILL_REJECTED = "still rejected"
    BILLED_ALREADY = "billed already"
    NO_USAGE = "no usage"
    REFUSED = "refused"
    FAILED = "failed"

    @property
    def succeeded(self) -> bool:
        return self in (ReprocessResult.BILLED, ReprocessResult.WOULD_BE_BILLED)


@dataclasses.dataclass(frozen=True, slots=True)
class ReprocessedSample:
    """:param detail: what is billed, or why nothing is."""

    sample: StoredRejectedSample
    result: ReprocessResult
    detail: str


@dataclasses.dataclass(frozen=True)
class _Resource:
    """A resource with its rejected samples of one window, the usage stored of it and the usage to bill."""

    samples: Sequence[StoredRejectedSample]
    rerated: Rerated
    stored: Sequence[model.Usage]
    usage: Sequence[model.Usage]

    @property
    def used_ids(self) -> list[int]:
        """Ids of the samples that the usage to bill is made of, and that no meter mapping rejects."""
        return sorted(self.rerated.used - self.rerated.reasons.keys()) if self.usage else []

    def reprocessed(self, billed: ReprocessResult) -> Iterator[ReprocessedSample]:
        """:param billed: the result of samples with usage to bill."""
        if self.usage:
            result, detail = billed, _format(self.usage)
            detail += f"; already stored: {_format(self.stored)}" if self.stored else ""
        else:
            result = ReprocessResult.BILLED_ALREADY
            detail = f"stored: {_format(self.stored)}; these samples alone: {_format(self.rerated.rated.usage)}"
        for sample in self.samples:
            reason = self.rerated.reasons.get(sample.id)
            if reason is not None:
                yield ReprocessedSample(sample, ReprocessResult.STILL_REJECTED, reason)
            elif sample.id in self.rerated.used:
                yield ReprocessedSample(sample, result, detail)
            else:
                yield ReprocessedSample(sample, ReprocessResult.NO_USAGE, _NO_USAGE)


class Reprocessor:
    """Reprocesses rejected samples.

    :param changed_by: user and host, for the receipts' history.
    :param dry_run: only report what would be billed.
    :param force: also bill what may have been billed, under another name, by other samples of the resource.
    """

    def __init__(
        self,
        *,
        rules: RatingRules,
        lookups: Lookups,
        os_distros: OsDistros,
        engine: sa.Engine,
        changed_by: str,
        dry_run: bool = False,
        force: bool = False,
    ) -> None:
        self._rules = rules
        self._lookups = lookups
        self._os_distros = os_distros
        self._engine = engine
        self._change = Change(REASON, changed_by)
        self._dry_run = dry_run
        self._force = force

    def run(self, samples: RejectedSampleFilter) -> Iterator[ReprocessedSample]:
        """Reprocess samples window by window; each is yielded after its usage is stored.

        The other rejected samples of the same resource and window are included. The run ends with the first window for
        which a service gives no response.
        """
        for project_id, window in rejected_samples.list_windows(self._engine, samples):
            stored = rejected_samples.list_with_same_resources(self._engine, samples, project_id, window)
            try:
                yield from self._reprocess(project_id, window, stored)
            except (exceptions.ReprocessingRefused, exceptions.Refused, exceptions.WindowChanged) as error:
                yield from (ReprocessedSample(sample, ReprocessResult.REFUSED, str(error)) for sample in stored)
            except exceptions.ServiceError as error:
                yield from (ReprocessedSample(sample, ReprocessResult.FAILED, str(error)) for sample in stored)
                return

    def _reprocess(
        self, project_id: str, window: model.Window, samples: Sequence[StoredRejectedSample]
    ) -> Sequence[ReprocessedSample]:
        """Reprocess the samples of a window, anew if somebody changes the window meanwhile."""
        policy = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(exceptions.WindowChanged),
            stop=tenacity.stop_after_attempt(_MAX_ATTEMPTS),
            reraise=True,
        )
        return policy(self._reprocess_once, project_id, window, samples)

    def _reprocess_once(
        self, project_id: str, window: model.Window, samples: Sequence[StoredRejectedSample]
    ) -> Sequence[ReprocessedSample]:
        stored_windows.require_changeable(self._engine, project_id, window)
        rejected_samples.require_unbilled(self._engine, [sample.id for sample in samples])
        by_resource: dict[str | None, list[StoredRejectedSample]] = defaultdict(list)
        for sample in samples:
            by_resource[sample.resource_id].append(sample)
        before = stored_windows.read(self._engine, [project_id], window)[project_id]
        resources = [self._rerate(window, group, before.usage) for group in by_resource.values()]
        if not self._dry_run:
            self._bill(before, [resource for resource in resources if resource.usage])
        billed = ReprocessResult.WOULD_BE_BILLED if self._dry_run else ReprocessResult.BILLED
        return [sample for resource in resources for sample in resource.reprocessed(billed)]

    def _rerate(
        self, window: model.Window, samples: Sequence[StoredRejectedSample], billed: Sequence[model.Usage]
    ) -> _Resource:
        parsed = {sample.id: _parse(sample) for sample in samples}
        rerated = rerate(self._rules, parsed, window, self._lookups)
        ids = {sample.resource_id for sample in parsed.values() if sample.resource_id is not None}
        stored = [
            usage for usage in billed if any(may_belong_to(usage.resource_id, resource_id) for resource_id in ids)
        ]
        return _Resource(samples, rerated, stored, unbilled(rerated.rated.usage, stored, force=self._force))

    def _bill(self, before: StoredWindow, resources: Sequence[_Resource]) -> None:
        if not resources:
            return
        rated = [resource.rerated.rated for resource in resources]
        described = [resource for part in rated for resource in part.resources]
        instances = {resource_id: sample for part in rated for resource_id, sample in part.instances.items()}
        store = Store(self._engine).project(before.project_id)
        stored = store.resource_info([resource.id for resource in described])
        RejectedSamplesBilling(
            self._engine,
            before,
            self._change,
            usage=[entry for resource in resources for entry in resource.usage],
            resources=annotate_os_distro(self._os_distros, instances, stored, described),
            sample_ids=[sample_id for resource in resources for sample_id in resource.used_ids],
            used=sum(len(part.used) for part in rated),
        ).commit()


def _parse(stored: StoredRejectedSample) -> model.Sample | model.RejectedSample:
    try:
        document: object = json.loads(stored.sample)
    except (RecursionError, ValueError):
        reason = "the stored sample cannot be parsed: it was truncated when it was stored, or is nested too deeply"
        document = {"sample": stored.sample}
        return model.RejectedSample(stored.project_id, stored.meter, stored.resource_id, reason, document)
    return parse_sample(document, stored.project_id, stored.meter)


def _format(usage: Sequence[model.Usage]) -> str:
    return ", ".join(
        f"{entry.service} {entry.volume.normalize():f} {entry.unit} of {entry.resource_id}" for entry in usage
    )
