# SPDX-License-Identifier: Apache-2.0
"""[prometheus]: the telemetry driver that reads from Prometheus, or from what speaks its HTTP API."""

import dataclasses
import datetime
import urllib.parse
from collections.abc import Mapping

from oslo_config import cfg

GROUP = "prometheus"

OPTS = [
    cfg.StrOpt(
        "url",
        help="URL of Prometheus, without /api/v1, for example https://prometheus.example.org:9090. Without it, samples "
        "are read through Aetos: the endpoint of the type metric-storage in Keystone's catalog.",
    ),
    cfg.StrOpt(
        "meters_file",
        default="/etc/distil/prometheus_meters.yml",
        help="File that says which metrics and labels the samples of each meter are made of.",
    ),
    cfg.IntOpt(
        "lag",
        default=120,
        min=0,
        help="Seconds from the end of a window until its samples can be expected to be stored; no window is collected "
        "before. Longer where they arrive through remote write.",
    ),
    cfg.IntOpt(
        "max_gap",
        default=600,
        min=1,
        help="Longest time in seconds without a successful scrape that a collected window may have, and across which a "
        "counter continues. At least twice the longest scrape interval. A window is not collected if all "
        "targets have a longer gap, or one that was up before. A target that is down from before the window is only "
        "logged.",
    ),
    cfg.StrOpt(
        "source",
        default="prometheus",
        help="Source of all samples, for trust_sources and filters.",
    ),
    cfg.ListOpt(
        "replica_labels",
        default=[],
        help="Labels that tell replicas of Prometheus or of an exporter apart, which measure the same: of series that "
        "differ in nothing else, one at a time counts. Not needed where the service removes duplicates.",
    ),
    cfg.DictOpt(
        "parameters",
        default={},
        help="Further parameters of each query, for example partial_response:false,dedup:true for Thanos. Aetos "
        "refuses any.",
    ),
    cfg.DictOpt(
        "headers",
        default={},
        secret=True,
        help="Further headers of each request, for example X-Scope-OrgID:cloud for Mimir.",
    ),
    cfg.StrOpt(
        "bearer_token_file",
        help="File with a token that is sent as 'Authorization: Bearer'. It is read for each request. Only with url, "
        "like the options below: Aetos is sent the token of [keystone_authtoken].",
    ),
    cfg.StrOpt("username", help="User name for basic authentication."),
    cfg.StrOpt("password", secret=True, help="Password for basic authentication."),
    cfg.StrOpt("cafile", help="PEM file with the CA certificates that verify the server's. Default: the system's."),
    cfg.StrOpt("certfile", help="PEM file with a client certificate."),
    cfg.StrOpt("keyfile", help="PEM file with the key of certfile, if it is not in the same file."),
    cfg.BoolOpt("insecure", default=False, help="Whether the server's certificate is accepted without verifying it."),
]

# Of the connection to a URL; Aetos is reached through Keystone's session.
_URL_OPTIONS = ("bearer_token_file", "username", "password", "cafile", "certfile", "keyfile", "insecure")

# Of a query.
_OWN_PARAMETERS = frozenset(("query", "time"))


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrometheusOptions:
    """The values of the group, by option name."""

    url: str | None
    meters_file: str
    lag: int
    max_gap: int
    source: str
    replica_labels: tuple[str, ...]
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    bearer_token_file: str | None
    username: str | None
    password: str | None
    cafile: str | None
    certfile: str | None
    keyfile: str | None
    insecure: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "replica_labels", tuple(self.replica_labels))

    @property
    def lag_time(self) -> datetime.timedelta:
        return datetime.timedelta(seconds=self.lag)

    def problems(self) -> list[str]:
        """What is wrong with the options, alone and together."""
        problems = self._url_problems() if self.url else self._problems_without_url()
        if self.bearer_token_file and (self.username or self.password):
            problems.append("bearer_token_file and username are two kinds of authentication; set one of them")
        elif bool(self.username) != bool(self.password):
            missing = "password" if self.username else "username"
            problems.append(f"{missing} is not set, which basic authentication needs")
        if self.insecure and self.cafile:
            problems.append("cafile has no effect with insecure")
        own = sorted(_OWN_PARAMETERS & self.parameters.keys())
        if own:
            problems.append(f"parameters must not have {' and '.join(own)}, which the driver sets")
        if not self.source:
            problems.append("source is empty")
        return [f"[{GROUP}] {problem}" for problem in problems]

    def _url_problems(self) -> list[str]:
        try:
            url = urllib.parse.urlsplit(self.url or "")
            is_usable = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
        except ValueError:
            return ["url is not a valid URL"]
        if not is_usable or url.query or url.fragment:
            return ["url must be http:// or https://, a host and, if needed, a port and a path"]
        if "@" in url.netloc:
            return ["url must not contain a user name or password: it is logged; set username and password"]
        return []

    def _problems_without_url(self) -> list[str]:
        unused = [name for name in _URL_OPTIONS if getattr(self, name)]
        problems = [f"{name} has no effect without url: Aetos is reached by [keystone_authtoken]" for name in unused]
        if self.parameters:
            problems.append("parameters needs url: Aetos refuses further parameters")
        return problems
