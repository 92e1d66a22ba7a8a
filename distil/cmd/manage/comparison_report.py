# SPDX-License-Identifier: Apache-2.0
"""Tells on standard error how much of a comparison of rules was possible, and what becomes of the services."""

import logging
from decimal import Decimal

from distil.collector.comparison_summary import ComparisonSummary
from distil.rating.usage_totals import Change
from distil.rating.usage_totals import ServiceTotal
from distil.text import plain_number
from distil.text import pluralize

LOG = logging.getLogger(__name__)


def log(summary: ComparisonSummary) -> bool:
    """Log it.

    :returns: whether no window failed, and any could be compared.
    """
    compared = pluralize(summary.compared, "window")
    LOG.info("Compared %s of %s", compared, pluralize(summary.projects, "project"))
    if summary.gone:
        LOG.warning(
            "%s not compared, because samples that were billed are gone from telemetry: the difference is unknown;"
            " such as %s",
            pluralize(summary.gone, "window"),
            summary.examples[True],
        )
    if summary.failed:
        LOG.error("%s failed, such as %s", pluralize(summary.failed, "window"), summary.examples[False])
    for total in summary.totals.by_service():
        if total.change:
            LOG.log(logging.INFO if total.change is Change.VOLUME else logging.WARNING, "%s", _sentence(total))
    _log_rejected(summary)
    if not summary.compared:
        LOG.error("No window could be compared")
    return bool(summary.compared) and not summary.failed


def _log_rejected(summary: ComparisonSummary) -> None:
    for meter, number in sorted(summary.rejected_after.items()):
        if number > summary.rejected_before[meter]:
            LOG.warning(
                "The new rules reject %s of meter %s, the present ones %d: %s",
                pluralize(number, "sample"),
                meter,
                summary.rejected_before[meter],
                summary.rejections[meter],
            )


def _sentence(total: ServiceTotal) -> str:
    """What becomes of a service, of all projects together."""
    other_unit = total.change is Change.UNIT
    if total.before is None:
        after = plain_number(total.after or Decimal(0))
        return f"Service {total.service} appears{' in another unit' if other_unit else ''}: {after} {total.unit}"
    before = plain_number(total.before)
    if total.after is None:
        verb = "is no longer billed in this unit" if other_unit else "vanishes"
        return f"Service {total.service} {verb}: {before} {total.unit}"
    percent = f" ({100 * total.difference / total.before:+.3g} %)" if total.before else ""
    return f"Service {total.service}: {before} {total.unit} before, {plain_number(total.after)} after{percent}"
