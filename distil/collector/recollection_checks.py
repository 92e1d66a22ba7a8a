# SPDX-License-Identifier: Apache-2.0
"""What keeps a window from being replaced when it is collected again."""

from collections.abc import Collection
from collections.abc import Iterator

from distil import exceptions
from distil import model
from distil.collector.replay import ReplayedWindow
from distil.db.stored_windows import StoredWindow
from distil.rating.difference import find_differences
from distil.text import pluralize

_MAX_LISTED = 3
_ALLOW_LESS = "--allow-less replaces the usage nevertheless"


def require_same_telemetry(before: StoredWindow, collected_by: model.CollectedBy) -> None:
    """Checks that a window's samples are asked from the service that it was collected from.

    :raises Refused: it was another one.
    """
    telemetry = before.receipt and before.receipt.telemetry
    if telemetry and telemetry != collected_by.telemetry:
        raise exceptions.Refused(
            f"it was collected from {telemetry}, and {collected_by.collector} collects from {collected_by.telemetry};"
            " choose another collector with --collector"
        )


def is_equal(before: StoredWindow, replayed: ReplayedWindow) -> bool:
    """Whether a window has exactly what is stored of it, and its receipt says so."""
    receipt = before.receipt
    return (
        receipt is not None
        and receipt.contents == replayed.receipt
        and not find_differences(before.usage, replayed.rated.usage)
    )


def require_no_less(before: StoredWindow, replayed: ReplayedWindow, meters: Collection[str]) -> None:
    """Checks that no usage vanishes because the telemetry service has not got its samples any more.

    :param meters: that were asked for.
    :raises Refused: there are fewer samples than were collected; or more of them are rejected, and usage shrinks; or
        the window has no receipt, and usage shrinks.
    """
    receipt = before.receipt
    if receipt is None:
        if shrinking := list(_shrinking(before, replayed)):
            raise exceptions.Refused(
                f"it has no receipt that tells how many samples were collected, and {_listed(shrinking)} would shrink"
                f" or vanish; {_ALLOW_LESS}"
            )
        return
    fewer = list(_fewer(receipt.contents, replayed.receipt, meters))
    if fewer:
        raise exceptions.Refused(
            f"the telemetry service has fewer samples than were collected ({_listed(fewer)}): its retention may be"
            f" over, or its answer incomplete; {_ALLOW_LESS}"
        )
    more = replayed.receipt.rejected - receipt.contents.rejected
    if more > 0 and (shrinking := list(_shrinking(before, replayed))):
        raise exceptions.Refused(
            f"{pluralize(more, 'sample')} more would be rejected, and {_listed(shrinking)} would shrink or vanish;"
            f" --rules current may help, and {_ALLOW_LESS}"
        )


def _fewer(collected: model.Receipt, now: model.Receipt, meters: Collection[str]) -> Iterator[str]:
    for meter, count in collected.meters.items():
        if meter in meters:
            samples = now.meters[meter].samples if meter in now.meters else 0
            if samples < count.samples:
                yield f"{meter}: {samples} of {count.samples}"


def _shrinking(before: StoredWindow, replayed: ReplayedWindow) -> Iterator[str]:
    for difference in find_differences(before.usage, replayed.rated.usage):
        if difference.change < 0:
            yield f"{difference.service} of {difference.resource_id}"


def _listed(items: list[str]) -> str:
    more = len(items) - _MAX_LISTED
    return ", ".join(items[:_MAX_LISTED]) + (f" and {more} more" if more > 0 else "")
