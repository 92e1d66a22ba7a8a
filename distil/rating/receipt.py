# SPDX-License-Identifier: Apache-2.0
"""The receipt of a window: what went into it and what came out of it, in counts and digests."""

from collections import Counter
from collections.abc import Iterable
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from typing import NamedTuple

from distil import digest
from distil import model
from distil import text
from distil.digest import SampleRow


class SamplesSummary(NamedTuple):
    """What tells the samples of a window from others.

    :param meters: by name, of those that have samples.
    :param digest: see :mod:`distil.digest`.
    """

    meters: Mapping[str, model.MeterCount]
    digest: str


def make_receipt(samples: Iterable[model.Sample | model.RejectedSample], rated: model.RatedWindow) -> model.Receipt:
    """The receipt of a window.

    :param samples: all that the telemetry service returned, in any order.
    :param rated: what they were rated to.
    """
    summary = summarize_samples(samples)
    return model.Receipt(
        samples=rated.samples,
        used=len(rated.used),
        untrusted=rated.untrusted,
        duplicates=sum(rated.duplicates.values()),
        rejected=len(rated.rejected),
        entries=len(rated.usage),
        meters=summary.meters,
        samples_digest=summary.digest,
        usage_digest=digest.usage_digest(rated.usage),
    )


def summarize_samples(samples: Iterable[model.Sample | model.RejectedSample]) -> SamplesSummary:
    """The part of a receipt that only depends on the samples.

    :param samples: in any order.
    """
    rows: list[SampleRow] = []
    units: dict[str, str | None] = {}
    times: dict[object, str] = {}
    for sample in samples:
        document = sample.document
        if sample.meter not in units:
            units[sample.meter] = _unit(document)
        if isinstance(sample, model.RejectedSample):
            rows.append(_rejected_row(sample))
            continue
        time = sample.timestamp
        timestamp = times.get(time)
        if timestamp is None:
            timestamp = times[time] = time.isoformat()
        sample_id = document.get("id")
        rows.append(
            SampleRow(
                sample.meter,
                sample.resource_id,
                timestamp,
                sample_id if type(sample_id) is str else text.canonical_json(sample_id),
                str(sample.volume) if type(sample.volume) is Decimal else text.canonical_json(sample.volume),
            )
        )
    rows.sort()
    return SamplesSummary(_meter_counts(rows, units), digest.samples_digest(rows))


def _rejected_row(sample: model.RejectedSample) -> SampleRow:
    """Its values as they are, since they could not be read."""
    timestamp, sample_id, volume = (
        text.canonical_json(sample.document.get(key)) for key in ("timestamp", "id", "volume")
    )
    return SampleRow(sample.meter, sample.resource_id or "", timestamp, sample_id, volume)


def _meter_counts(rows: Iterable[SampleRow], units: Mapping[str, str | None]) -> dict[str, model.MeterCount]:
    samples: Counter[str] = Counter()
    resources: Counter[str] = Counter()
    for (meter, _), number in Counter([(row.meter, row.resource_id) for row in rows]).items():
        samples[meter] += number
        resources[meter] += 1
    return {meter: model.MeterCount(samples[meter], resources[meter], units[meter]) for meter in sorted(samples)}


def _unit(document: Mapping[str, Any]) -> str | None:
    unit = document.get("unit")
    return text.sanitize(unit, model.MAX_UNIT) if isinstance(unit, str) else None
