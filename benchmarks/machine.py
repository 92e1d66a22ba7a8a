# SPDX-License-Identifier: Apache-2.0
"""Describes the machine, software and settings under which a benchmark runs."""

import importlib.metadata
import os
import pathlib
import platform
import subprocess

import sqlalchemy as sa

from benchmarks.process import ROOT
from distil.db import engine as db_engine
from distil.tests.support import databases

# The libraries with most influence on a collection's speed.
_LIBRARIES = ("distil", "SQLAlchemy", "PyMySQL", "requests", "keystoneauth1", "jmespath", "prometheus-client")

# The settings that decide how durable, and so how slow, a commit is.
_SETTINGS = ("version", "innodb_flush_log_at_trx_commit", "sync_binlog", "log_bin", "innodb_buffer_pool_size")


def describe_machine() -> dict[str, str]:
    """Return processor, usable cores, memory and kernel."""
    memory = int(_first_value("/proc/meminfo", "MemTotal").split()[0]) // 1024
    return {
        "processor": _first_value("/proc/cpuinfo", "model name"),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory} MiB",
        "kernel": platform.platform(),
    }


def describe_versions() -> dict[str, str]:
    """Return the versions of Python and libraries, and the database's version and settings.

    :raises unittest.SkipTest: there is no MariaDB server for the tests.
    """
    versions = {"commit": _commit(), "python": platform.python_version()}
    versions |= {name: importlib.metadata.version(name) for name in _LIBRARIES}
    with databases.database(databases.MYSQL, migrated=False) as url:
        engine = db_engine.create_engine(url)
        with engine.connect() as connection:
            settings = dict(tuple(row) for row in connection.execute(sa.text("SHOW VARIABLES")))
        engine.dispose()
    return versions | {f"MariaDB's {name}": settings[name] for name in _SETTINGS}


def _commit() -> str:
    """Return the commit of the working tree, with ``-dirty`` if it has been changed."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _first_value(path: str, key: str) -> str:
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "unknown")
