# SPDX-License-Identifier: Apache-2.0
"""Logs at DEBUG why each usage entry is what it is."""

from collections.abc import Sequence

from oslo_log import log

from distil import model
from distil.rating.explain import explain
from distil.rating.rate import RatingRules
from distil.rating.sentence import sentence
from distil.transformers.lookups import Lookups

LOG = log.getLogger(__name__)


def explain_enabled() -> bool:
    """Whether explanations are logged; making them takes longer than rating."""
    return LOG.isEnabledFor(log.DEBUG)


def log_explanation(
    rules: RatingRules,
    samples: Sequence[model.Sample | model.RejectedSample],
    window: model.Window,
    lookups: Lookups,
) -> None:
    """Explain the usage of a committed window. A failure is logged and not raised.

    :param lookups: the names that the rating used.
    """
    try:
        meters = {sample.meter for sample in samples}
        absent = [meter for meter in rules.meters if meter not in meters]
        LOG.debug("%d samples of %d meters; none of: %s", len(samples), len(meters), ", ".join(absent) or "-")
        for explanation in explain(rules, samples, window, lookups).explanations:
            LOG.debug("%s", sentence(explanation))
    except Exception:
        LOG.exception("Could not explain the usage of window %s, which is stored.", window)
