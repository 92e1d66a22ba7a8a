# SPDX-License-Identifier: Apache-2.0
"""Where and with what something is measured."""

import importlib.metadata
import os
import pathlib
import platform
import subprocess

import sqlalchemy as sa

from benchmarks.process import ROOT
from distil.db import engine as db_engine
from distil.tests.support import databases

# What a collection's speed depends on most.
_LIBRARIES = ("distil", "SQLAlchemy", "PyMySQL", "requests", "keystoneauth1", "jmespath", "prometheus-client")

# How much the database does before it says that a transaction is committed.
_SETTINGS = ("version", "innodb_flush_log_at_trx_commit", "sync_binlog", "log_bin", "innodb_buffer_pool_size")


def machine() -> dict[str, str]:
    """Processor, cores that may be used, memory and kernel."""
    cpu = _first("/proc/cpuinfo", "model name")
    memory = int(_first("/proc/meminfo", "MemTotal").split()[0]) // 1024
    return {
        "processor": cpu,
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory} MiB",
        "kernel": platform.platform(),
    }


def versions() -> dict[str, str]:
    """Of Python, libraries and the database with its settings."""
    found = {"commit": _commit(), "python": platform.python_version()}
    found |= {name: importlib.metadata.version(name) for name in _LIBRARIES}
    with databases.database(databases.MYSQL, migrated=False) as url:
        engine = db_engine.create_engine(url)
        with engine.connect() as connection:
            settings = dict(tuple(row) for row in connection.execute(sa.text("SHOW VARIABLES")))
        engine.dispose()
    return found | {f"MariaDB's {name}": settings[name] for name in _SETTINGS}


def _commit() -> str:
    """Of the tree; with ``-dirty`` where it has been changed since."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _first(path: str, key: str) -> str:
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "unknown")
