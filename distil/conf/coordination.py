# SPDX-License-Identifier: Apache-2.0
"""[coordination]: how collectors with the same scope divide the projects."""

import dataclasses

from oslo_config import cfg

from distil.conf import secret

GROUP = "coordination"

OPTS = [
    cfg.StrOpt(
        "backend_url",
        secret=True,
        help="tooz URL of the backend through which collectors of one name and scope, on any number of hosts, divide "
        "the projects, for example redis://:PASSWORD@HOST:6379?timeout=10, with special characters of the password "
        "percent-encoded. The driver's time-out is how long a dead collector keeps its share. Without a URL, and while "
        "the backend is unavailable, leases in the database ensure that only one collector at a time collects a "
        "project.",
    ),
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CoordinationOptions:
    """The values of the group, by option name."""

    backend_url: str | None


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def read(conf: cfg.ConfigOpts) -> CoordinationOptions:
    """:raises ConfigurationError: the URL contains a ``$`` that cannot be resolved."""
    with secret.redacted(f"[{GROUP}] backend_url"):
        return CoordinationOptions(backend_url=conf[GROUP].backend_url or None)
