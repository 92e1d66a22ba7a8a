# SPDX-License-Identifier: Apache-2.0
"""The whole of the collector's job on one machine: a sandbox cloud, a database, and a real distil-collector."""

import argparse
import contextlib
import pathlib
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import rich.console
import rich.table
from prometheus_client.parser import text_string_to_metric_families

from distil.sandbox.cloud import Cloud

_PATIENCE = 300.0
_USAGE = """
    SELECT tenants.name, service, unit, count(DISTINCT resource_id), sum(volume)
    FROM usage_entry JOIN tenants ON tenants.id = tenant_id
    GROUP BY tenants.name, service, unit ORDER BY tenants.name, service, unit
"""


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo = commands.add_parser("demo", help="collect a sandbox cloud's usage with a real distil-collector and show it")
    demo.set_defaults(run=run)
    demo.add_argument("--projects", type=int, default=2)
    demo.add_argument("--resources", type=int, default=2, help="of each project, for each meter")
    demo.add_argument("--hours", type=int, default=3, help="of usage")
    demo.add_argument("--etc", type=pathlib.Path, default="etc/distil", help="where the sample mapping files are")
    demo.add_argument("--keep", action="store_true", help="go on until Ctrl-C; so it does on a terminal")


def run(options: argparse.Namespace) -> int:
    """Show the collector at work; the exit status is the answer."""
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="distil-demo-")))
        print(f"A sandbox cloud with {options.projects} projects starts.")
        cloud = stack.enter_context(Cloud(projects=options.projects, resources=options.resources))
        port = _free_port()
        config = _configure(folder, cloud, port, options)
        print(f"distil-db-manage upgrade head makes the tables in {folder / 'distil.sqlite'}.")
        subprocess.run(_command("distil.cmd.db_manage", config, "upgrade", "head"), check=True)
        print(f"distil-collector collects {options.hours} hours of usage; it logs to {folder / 'collector.log'}.\n")
        collector = stack.enter_context(_running(_command("distil.cmd.collector", config)))
        _wait_for_a_run(collector, port, folder / "collector.log")
        _show_usage(folder / "distil.sqlite")
        print(f"\nThe collector's metrics: http://127.0.0.1:{port}/metrics")
        if options.keep or (sys.stdin.isatty() and sys.stdout.isatty()):
            print("The cloud and the collector go on until you press Ctrl-C.")
            with contextlib.suppress(KeyboardInterrupt):
                collector.wait()
        else:
            print("The cloud and the collector end now; on a terminal, or with --keep, they would go on.")
    return 0


def _configure(folder: pathlib.Path, cloud: Cloud, port: int, options: argparse.Namespace) -> pathlib.Path:
    config = folder / "distil.conf"
    text = cloud.conf(
        DEFAULT={"log_file": folder / "collector.log"},
        collector={
            "meter_mappings_file": (options.etc / "meter_mappings.yml").resolve(),
            "transformer_file": (options.etc / "transformer.yml").resolve(),
            "max_collection_start_age": options.hours,
            "max_windows_per_cycle": options.hours,
            "trust_sources": "openstack, .{32}:TrafficAccounting",
            "enable_exporter": True,
            "exporter_host": "127.0.0.1",
            "exporter_port": port,
        },
        database={"connection": f"sqlite:///{folder / 'distil.sqlite'}"},
    )
    config.write_text(text, encoding="utf-8")
    return config


def _command(module: str, config: pathlib.Path, *arguments: str) -> list[str]:
    start = f"import sys; from {module} import main; sys.exit(main())"
    return [sys.executable, "-c", start, "--config-file", str(config), *arguments]


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _wait_for_a_run(collector: subprocess.Popen[bytes], port: int, log: pathlib.Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while _last_run_end(port) == 0:
        if collector.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"distil-collector has not finished a run:\n{log.read_text(encoding='utf-8')}")
        time.sleep(0.2)


def _last_run_end(port: int) -> float:
    """As the collector's own metrics tell it; 0 before the first run has ended."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            families = text_string_to_metric_families(answer.read().decode())
    except urllib.error.URLError:
        return 0.0
    ends = [sample.value for family in families for sample in family.samples if sample.name.endswith("last_run_end")]
    return float(ends[0])


def _show_usage(database: pathlib.Path) -> None:
    table = rich.table.Table("project", "service", "unit", title="Usage collected")
    table.add_column("resources", justify="right")
    table.add_column("volume", justify="right")
    with contextlib.closing(sqlite3.connect(database)) as connection:
        for name, service, unit, resources, volume in connection.execute(_USAGE):
            table.add_row(name, service, unit, str(resources), f"{volume:,.10g}")
    rich.console.Console().print(table)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
