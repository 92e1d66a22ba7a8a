# SPDX-License-Identifier: Apache-2.0
"""Whether a window that is rated again gives what is stored, and why not."""

import datetime
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from decimal import Decimal

from distil import digest
from distil import distributions
from distil import model
from distil import text
from distil.collector.replay import Samples
from distil.db.receipts import StoredReceipt
from distil.db.revisions import Revision
from distil.db.stored_windows import StoredWindow
from distil.rating.difference import UsageDifference
from distil.rating.difference import find_differences
from distil.rating.receipt import make_receipt
from distil.rating.rules_document import ParsedRules
from distil.rating.trace import AnySample

_MAX_ENTRIES = 3
_MAX_METERS = 5
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def find_problems(
    collected: StoredWindow,
    revisions: Sequence[Revision],
    rules: ParsedRules,
    samples: Samples,
    rated: model.RatedWindow,
) -> list[str]:
    """Why rating a window again does not give what is stored; none if it does.

    :param revisions: changes of the window since it was collected.
    :param rules: by which it was rated again.
    :param samples: that it was rated again from.
    """
    differences = find_differences(collected.usage, rated.usage)
    receipt = collected.receipt
    if receipt is None:
        others = f"the current rules give other usage: {_entries(differences)}"
        return [f"the window has no receipt, and {others}"] if differences else []
    now = make_receipt(samples, rated)
    problems = []
    has_same_samples = now.samples_digest == receipt.contents.samples_digest
    if not has_same_samples:
        problems.append(_other_samples(receipt, now, late_samples(samples, committed(receipt, revisions))))
    if digest.usage_digest(collected.usage) != receipt.contents.usage_digest:
        problems.append(_other_entries(collected, receipt, differences if has_same_samples else ()))
    if has_same_samples and now.usage_digest != receipt.contents.usage_digest:
        problems += _other_rating(revisions, rules, differences)
    return problems


def committed(receipt: StoredReceipt, revisions: Sequence[Revision]) -> datetime.datetime:
    """When the window's samples were read at the latest."""
    return max([receipt.committed, *(revision.changed for revision in revisions)])


def late_samples(samples: Samples, since: datetime.datetime) -> Sequence[AnySample]:
    """Those that were recorded after a time."""
    return [sample for sample in samples if (recorded := recorded_at(sample)) is not None and recorded > since]


def recorded_at(sample: AnySample) -> datetime.datetime | None:
    """When the telemetry service recorded a sample; None if it does not tell."""
    try:
        return model.parse_time(sample.document.get("recorded_at"))
    except ValueError:
        return None


def _other_samples(receipt: StoredReceipt, now: model.Receipt, late: Sequence[AnySample]) -> str:
    change = now.samples - receipt.contents.samples
    meters = _meters(receipt.contents, now)
    if change > 0:
        cause = f"telemetry has {text.pluralize(change, 'sample')} more than the receipt{meters}"
    elif change < 0:
        fewer = f"{text.pluralize(-change, 'sample')} fewer than the receipt{meters}"
        cause = f"telemetry has {fewer}: its retention may be over"
    else:
        cause = f"telemetry has as many samples as the receipt, but others{meters}"
    if late:
        times = [recorded for sample in late if (recorded := recorded_at(sample)) is not None]
        came = f"{text.pluralize(len(late), 'sample')} came after the window was committed"
        cause += f"; {came}, the last at {max(times):{_TIME_FORMAT}}"
    return cause


def _meters(before: model.Receipt, now: model.Receipt) -> str:
    """The meters that have another number of samples now."""
    numbers = [
        (meter, *(contents.meters[meter].samples if meter in contents.meters else 0 for contents in (before, now)))
        for meter in sorted(before.meters.keys() | now.meters.keys())
    ]
    changed = [f"{meter} {was}, now {is_now}" for meter, was, is_now in numbers if was != is_now]
    return f" ({_short_list(changed, _MAX_METERS)})" if changed else ""


def _other_entries(collected: StoredWindow, receipt: StoredReceipt, differences: Iterable[UsageDifference]) -> str:
    if not collected.usage:
        entries = text.pluralize(receipt.contents.entries, "usage entry", "usage entries")
        return f"the {entries} of the window are not stored any more: deleted by hand"
    changed = _entries(differences)
    return "the stored usage was changed by hand since the receipt was made" + (f": {changed}" if changed else "")


def _other_rating(
    revisions: Sequence[Revision], rules: ParsedRules, differences: Iterable[UsageDifference]
) -> Iterator[str]:
    entries = _entries(differences)
    changes = distributions.changes(rules.versions)
    if revisions:
        yield f"the window was changed on purpose ({revisions[-1].reason}); its samples alone give: {entries}"
    elif changes:
        yield f"these versions rate the same samples otherwise ({'; '.join(changes)}): {entries}"
    else:
        yield (
            "the same samples, rules and versions give other usage than before, so a transformer depends on something"
            f" else, such as the time: {entries}"
        )


def _entries(differences: Iterable[UsageDifference]) -> str:
    return _short_list(
        [
            f"{entry.service} of {entry.resource_id}: {_volume(entry.before, entry.unit)} stored,"
            f" {_volume(entry.after, entry.unit)} computed"
            for entry in differences
        ],
        _MAX_ENTRIES,
    )


def _volume(volume: Decimal | None, unit: str) -> str:
    return "nothing" if volume is None else f"{text.plain_number(volume)} {unit}"


def _short_list(items: Sequence[str], most: int) -> str:
    more = len(items) - most
    return ", ".join(items[:most]) + (f" and {more} more" if more > 0 else "")
