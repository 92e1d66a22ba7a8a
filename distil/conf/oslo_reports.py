# SPDX-License-Identifier: Apache-2.0
"""[oslo_reports]: one of oslo.reports' options; the others configure triggers other than the signal."""

import dataclasses

from oslo_config import cfg

GROUP = "oslo_reports"

OPTS = [
    cfg.StrOpt(
        "log_dir",
        help="Directory for the reports that SIGUSR2 requests, one file per report. Without it, a report is written to "
        "standard error.",
    ),
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """The values of the group, by option name."""

    log_dir: str | None


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def read(conf: cfg.ConfigOpts) -> ReportOptions:
    return ReportOptions(log_dir=conf[GROUP].log_dir)
