# SPDX-License-Identifier: Apache-2.0
"""The group [oslo_reports], of whose options there is one: reports are made at a signal, and at nothing else."""

from oslo_config import cfg

GROUP = "oslo_reports"

OPTS = [
    cfg.StrOpt(
        "log_dir",
        help="Directory in which SIGUSR2 leaves its report, in a file of its own for each process. Without one it goes "
        "to standard error.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)
