# SPDX-License-Identifier: Apache-2.0
"""The log's answer to: why was this billed?"""

from oslo_log import log

from distil import model
from distil.collector.samples import Samples
from distil.rating.explain import explain
from distil.rating.rate import RatingRules
from distil.transformers.lookups import Lookups

LOG = log.getLogger(__name__)


def explain_enabled() -> bool:
    """Whether anybody wants to know. It takes longer than the rating itself."""
    return LOG.isEnabledFor(log.DEBUG)


def log_explanation(rules: RatingRules, samples: Samples, window: model.Window, lookups: Lookups) -> None:
    """Explain the usage of a project's window, which is stored whatever becomes of that.

    :param lookups: the answers that the rating had.
    """
    try:
        _tell(rules, samples, window, lookups)
    except Exception:
        LOG.exception("The usage is stored, and cannot be explained.")


def _tell(rules: RatingRules, samples: Samples, window: model.Window, lookups: Lookups) -> None:
    meters = {sample.meter for sample in samples}
    without = [meter for meter in rules.meters if meter not in meters]
    LOG.debug("%d samples of %d meters; none of: %s", len(samples), len(meters), ", ".join(without) or "-")
    for explanation in explain(rules, samples, window, lookups):
        LOG.debug("%s", explanation)
