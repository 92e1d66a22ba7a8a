# SPDX-License-Identifier: Apache-2.0
"""The baseline: fetches the same samples and stores the same rows, without validation, rating or look-ups."""

import datetime
import http.client
import itertools
import json
import resource
import sys
import time
import urllib.parse
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pymysql

from benchmarks.process import peak_memory

_COLUMNS = "service, unit, volume, tenant_id, resource_id, start, end, created"
_PARENT_TABLES = {"tenants": "id, name, info, created, last_collected", "resources": "id, tenant_id, info, created"}
_INSERT = f"INSERT INTO usage_entry ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"

_Usage = dict[tuple[str, datetime.datetime], list[Any]]


class Telemetry:
    """Queries samples over one persistent connection, with a token.

    :param auth: options of keystoneauth's ``password`` plugin.
    """

    def __init__(self, auth: dict[str, str], meters: Sequence[str], limit: int) -> None:
        token, url = _authenticate(auth)
        parts = urllib.parse.urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.netloc)
        self._path = f"{parts.path}/v2/query/samples"
        self._headers = {"X-Auth-Token": token, "Content-Type": "application/json"}
        self._meters = meters
        self._limit = limit

    def count_samples(self, projects: Sequence[str], start: datetime.datetime, end: datetime.datetime) -> int:
        """Fetch and parse all samples of projects in [start, end), and return their number."""
        conditions = [
            {"in": {"project_id": projects}},
            {"in": {"meter": self._meters}},
            {">=": {"timestamp": start.isoformat()}},
            {"<": {"timestamp": end.isoformat()}},
        ]
        query = {"filter": json.dumps({"and": conditions}), "limit": self._limit}
        self._connection.request("POST", self._path, json.dumps(query), self._headers)
        return len(json.loads(self._connection.getresponse().read()))


def main() -> None:
    """Print the cost and the numbers of samples and usage entries as JSON.

    Reading the rows to store, and authentication, are not measured.
    """
    config = json.loads(sys.argv[1])
    target = _connect(config["to"])
    projects, usage = _copy_parents(_connect(config["from"]), target)
    telemetry = Telemetry(config["auth"], config["meters"], config["limit"])
    windows = [tuple(map(_parse_time, window)) for window in config["windows"]]
    counts = {"samples": 0, "entries": 0}
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    for project_batch in _batches(projects, config["projects_per_query"]):
        for window_batch in _batches(windows, config["windows_per_query"]):
            (start, _), (_, end) = window_batch[0], window_batch[-1]
            counts["samples"] += telemetry.count_samples(project_batch, start, end)
            for project, (window_start, _) in itertools.product(project_batch, window_batch):
                counts["entries"] += _store(target, usage[project, window_start])
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    wall = time.monotonic() - started
    print(json.dumps({"wall": wall, "cpu": cpu, "memory": peak_memory(), "counts": counts}))


def _parse_time(text: str) -> datetime.datetime:
    """Parse a time in UTC, and return it without a zone, as Ceilometer and the database have it."""
    return datetime.datetime.fromisoformat(text).replace(tzinfo=None)


def _connect(url: str) -> Any:
    """Connect with PyMySQL to the database of an SQLAlchemy URL."""
    parts = urllib.parse.urlsplit(url)
    names = {"user": parts.username, "password": parts.password, "database": parts.path.lstrip("/")}
    return pymysql.connect(host=parts.hostname, charset="utf8mb4", **names)


def _authenticate(auth: dict[str, str]) -> tuple[str, str]:
    """Return a token and the URL of the telemetry service."""
    user = {"name": auth["username"], "password": auth["password"], "domain": {"name": auth["user_domain_name"]}}
    scope = {"project": {"name": auth["project_name"], "domain": {"name": auth["project_domain_name"]}}}
    identity = {"methods": ["password"], "password": {"user": user}}
    parts = urllib.parse.urlsplit(auth["auth_url"])
    connection = http.client.HTTPConnection(parts.netloc)
    headers = {"Content-Type": "application/json"}
    body = json.dumps({"auth": {"identity": identity, "scope": scope}})
    connection.request("POST", f"{parts.path}/auth/tokens", body, headers)
    response = connection.getresponse()
    catalog = json.load(response)["token"]["catalog"]
    metering = next(service for service in catalog if service["type"] == "metering")
    return response.headers["X-Subject-Token"], metering["endpoints"][0]["url"]


def _copy_parents(source: Any, target: Any) -> tuple[list[str], _Usage]:
    """Copy projects and resources, and return project IDs and the rows to store by project and start of the window."""
    usage: _Usage = defaultdict(list)
    with source.cursor() as reader, target.cursor() as writer:
        reader.execute(f"SELECT {_COLUMNS} FROM usage_entry")
        for row in reader:
            usage[row[3], row[5]].append(row)
        for table, columns in _PARENT_TABLES.items():
            reader.execute(f"SELECT {columns} FROM {table}")
            placeholders = ", ".join(["%s"] * (columns.count(",") + 1))
            writer.executemany(f"INSERT INTO {table} ({columns}) VALUES ({placeholders})", reader.fetchall())
        reader.execute("SELECT id FROM tenants ORDER BY id")
        projects = [row[0] for row in reader]
    target.commit()
    return projects, usage


def _store(target: Any, rows: Sequence[Any]) -> int:
    """Insert the rows of a window in one transaction, and return their number."""
    if not rows:
        return 0
    with target.cursor() as cursor:
        stored = cursor.executemany(_INSERT, rows) or 0
    target.commit()
    return int(stored)


def _batches(values: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [values[first : first + size] for first in range(0, len(values), size)]


if __name__ == "__main__":
    main()
