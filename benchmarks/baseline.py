# SPDX-License-Identifier: Apache-2.0
"""The least that collecting takes: the same answers, parsed, and the same rows, stored; nothing is checked or rated."""

import datetime
import http.client
import itertools
import json
import resource
import sys
import time
import urllib.parse
from collections import defaultdict
from typing import Any

import pymysql

from benchmarks.process import peak_memory

HOUR = datetime.timedelta(hours=1)
COLUMNS = "service, unit, volume, tenant_id, resource_id, start, end, created"
TABLES = {"tenants": "id, name, info, created, last_collected", "resources": "id, tenant_id, info, created"}
INSERT = f"INSERT INTO usage_entry ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"


def connect(url: str) -> Any:
    """PyMySQL's connection to what SQLAlchemy's URL names."""
    parts = urllib.parse.urlsplit(url)
    names = {"user": parts.username, "password": parts.password, "database": parts.path.lstrip("/")}
    return pymysql.connect(host=parts.hostname, charset="utf8mb4", **names)


def token(auth: dict[str, str]) -> tuple[str, str]:
    """A token and the URL of the telemetry service."""
    user = {"name": auth["username"], "password": auth["password"], "domain": {"name": auth["user_domain_name"]}}
    scope = {"project": {"name": auth["project_name"], "domain": {"name": auth["project_domain_name"]}}}
    identity = {"methods": ["password"], "password": {"user": user}}
    parts = urllib.parse.urlsplit(auth["auth_url"])
    connection = http.client.HTTPConnection(parts.netloc)
    headers = {"Content-Type": "application/json"}
    body = json.dumps({"auth": {"identity": identity, "scope": scope}})
    connection.request("POST", f"{parts.path}/auth/tokens", body, headers)
    answer = connection.getresponse()
    catalog = json.load(answer)["token"]["catalog"]
    metering = next(service for service in catalog if service["type"] == "metering")
    return answer.headers["X-Subject-Token"], metering["endpoints"][0]["url"]


def groups(values: list[Any], size: int) -> list[list[Any]]:
    """The values, so many together."""
    return [values[first : first + size] for first in range(0, len(values), size)]


def main() -> None:
    """Print what it took as JSON. Reading the rows that are to be stored does not count."""
    config = json.loads(sys.argv[1])
    source, target = connect(config["from"]), connect(config["to"])
    usage: dict[tuple[str, datetime.datetime], list[Any]] = defaultdict(list)
    with source.cursor() as cursor, target.cursor() as other:
        cursor.execute(f"SELECT {COLUMNS} FROM usage_entry")
        for row in cursor:
            usage[row[3], row[5]].append(row)
        for table, columns in TABLES.items():
            cursor.execute(f"SELECT {columns} FROM {table}")
            places = ", ".join(["%s"] * (columns.count(",") + 1))
            other.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", cursor.fetchall())
        cursor.execute("SELECT id FROM tenants ORDER BY id")
        projects = [row[0] for row in cursor]
    target.commit()
    secret, url = token(config["auth"])
    start = datetime.datetime.fromisoformat(config["start"]).replace(tzinfo=None)
    starts = [start + number * HOUR for number in range(config["windows"])]
    parts = urllib.parse.urlsplit(url)
    counts = {"samples": 0, "entries": 0}
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    connection = http.client.HTTPConnection(parts.netloc)
    headers = {"X-Auth-Token": secret, "Content-Type": "application/json"}
    for asked in groups(projects, config["projects_together"]):
        for group in groups(starts, config["windows_together"]):
            conditions = [
                {"in": {"project_id": asked}},
                {"in": {"meter": config["meters"]}},
                {">=": {"timestamp": group[0].isoformat()}},
                {"<": {"timestamp": (group[-1] + HOUR).isoformat()}},
            ]
            query = {"filter": json.dumps({"and": conditions}), "limit": config["limit"]}
            connection.request("POST", f"{parts.path}/v2/query/samples", json.dumps(query), headers)
            counts["samples"] += len(json.loads(connection.getresponse().read()))
            for window in itertools.product(asked, group):
                if usage[window]:
                    with target.cursor() as cursor:
                        counts["entries"] += cursor.executemany(INSERT, usage[window]) or 0
                    target.commit()
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    wall = time.monotonic() - begun
    print(json.dumps({"wall": wall, "cpu": cpu, "memory": peak_memory(), "counts": counts}))


if __name__ == "__main__":
    main()
