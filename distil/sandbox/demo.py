# SPDX-License-Identifier: Apache-2.0
"""The collector at work on one machine: a sandbox cloud, an SQLite database and a real distil-collector process."""

import argparse
import contextlib
import datetime
import importlib.metadata
import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import rich.console

from distil.sandbox import arguments as types
from distil.sandbox import watch
from distil.sandbox.cloud import Cloud
from distil.sandbox.data.gnocchi_schema import POLICIES
from distil.sandbox.telemetry import TELEMETRY
from distil.sandbox.telemetry import telemetry_sections
from distil.text import pluralize

MAX_HOURS = 366 * 24
LOG = "distil.log"
SAMPLE_FILES = ("meter_mappings.yml", "transformer.yml")

_CLONE = pathlib.Path(__file__).parents[2]


class DemoError(Exception):
    """The demonstration could not be given; the text says why."""


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo = commands.add_parser("demo", help="collect a sandbox cloud's usage with a real distil-collector and show it")
    demo.set_defaults(run=run)
    demo.add_argument("--projects", type=types.whole_number(1, types.MAX_PROJECTS), default=2)
    demo.add_argument(
        "--resources",
        type=types.whole_number(1, types.MAX_RESOURCES),
        default=2,
        help="of each project, for each meter",
    )
    demo.add_argument(
        "--telemetry", choices=TELEMETRY, default=TELEMETRY[0], help="the service that the collector reads usage from"
    )
    demo.add_argument("--hours", type=types.whole_number(1, MAX_HOURS), default=3, help="of usage")
    demo.add_argument(
        "--etc",
        type=_sample_directory,
        metavar="DIR",
        help=f"the directory of {' and '.join(SAMPLE_FILES)}; by default that of the samples",
    )
    demo.add_argument("--keep", action="store_true", help="go on until Ctrl-C, which is the default on a terminal")


def run(options: argparse.Namespace) -> int:
    """Show the collector at work; the exit status is the answer."""
    console = rich.console.Console(highlight=False, markup=False, soft_wrap=True)
    # SIGINT too: a shell starts background processes with it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        _check_hours(options)
        with tempfile.TemporaryDirectory(prefix="distil-demo-") as folder:
            _demonstrate(console, options, pathlib.Path(folder))
    except DemoError as error:
        sys.stderr.write(f"distil-sandbox demo: {error}\n")
        return 1
    except KeyboardInterrupt:
        console.print("Stopped before the end.")
        return 128 + signal.SIGINT
    console.print("Stopped.")
    return 0


def _check_hours(options: argparse.Namespace) -> None:
    """:raises DemoError: the telemetry service does not keep as many hours."""
    kept = 24 * min(policy.days for policy in POLICIES.values())
    if options.telemetry == "gnocchi" and options.hours > kept:
        raise DemoError(f"Gnocchi keeps {kept} hours; --hours {options.hours} is too long")


def _demonstrate(console: rich.console.Console, options: argparse.Namespace, folder: pathlib.Path) -> None:
    with contextlib.ExitStack() as stack:
        hour = datetime.datetime.now(datetime.UTC).replace(minute=0, second=0, microsecond=0)
        start = hour - datetime.timedelta(hours=options.hours)
        cloud = stack.enter_context(Cloud(projects=options.projects, resources=options.resources, start=start))
        console.print(
            f"A sandbox cloud runs at {cloud.url}, with {pluralize(options.projects, 'project')} "
            "and that of its services."
        )
        port = _free_port()
        config = _write_config(folder, cloud, port, options)
        console.print(f"distil-db-manage creates the tables in {folder / 'distil.sqlite'}.")
        _call(_command("distil-db-manage", config, "upgrade", "head"))
        hours = pluralize(options.hours, "hour")
        collector = stack.enter_context(_running(_command("distil-collector", config)))
        # Afterwards: who has read it may interrupt, which has to end the collector, too.
        console.print(f"distil-collector collects {hours} of usage from {options.telemetry.title()}.")
        # The project of the cloud's own services is in scope too.
        expected = (options.projects + 1) * options.hours
        try:
            watch.wait_for_first_run(console, collector, port, expected)
        except watch.RunError as error:
            raise DemoError(f"{error}; its log:\n{_tail(folder / LOG)}") from None
        console.print("This is the usage of one project:\n")
        usage = ("usage", "summary", "--project", "project-0", "--group-by", "service")
        console.print(f"$ {_format_command('distil-manage', config, *usage)}")
        _call(_command("distil-manage", config, *usage))
        if options.keep or (sys.stdin.isatty() and sys.stdout.isatty()):
            _keep(console, collector, config, port)
        else:
            console.print("\nOn a terminal, or with --keep, cloud and collector would run on until Ctrl-C.")


def _keep(console: rich.console.Console, collector: subprocess.Popen[bytes], config: pathlib.Path, port: int) -> None:
    """Leave cloud and collector running until Ctrl-C."""
    log = config.with_name(LOG)
    console.print(f"\nStatus page: http://127.0.0.1:{port}/")
    console.print(f"Metrics:     http://127.0.0.1:{port}/metrics")
    console.print(f"Log:         {log}")
    console.print("\nTo paste into another terminal:\n")
    console.print(f"  {_format_command('distil-manage', config, 'usage', 'summary')}")
    console.print(f"  {_format_command('distil-manage', config, 'project', 'list')}")
    console.print("\nPress Ctrl-C to stop.")
    try:
        status = collector.wait()
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        console.print("\nStopping ...")
    else:
        raise DemoError(f"distil-collector exited with status {status}; its log:\n{_tail(log)}")


def _write_config(folder: pathlib.Path, cloud: Cloud, port: int, options: argparse.Namespace) -> pathlib.Path:
    config = folder / "distil.conf"
    mappings, transformers = (path.resolve() for path in options.etc or _sample_files())
    telemetry = dict(telemetry_sections(cloud, options.telemetry))
    text = cloud.conf(
        DEFAULT={"log_file": folder / LOG, "use_stderr": False},
        collector={
            **telemetry.pop("collector", {}),
            "meter_mappings_file": mappings,
            "transformer_file": transformers,
            "max_collection_start_age": options.hours,
            "max_windows_per_cycle": options.hours,
            "trust_sources": "openstack, .{32}:TrafficAccounting",
            "enable_exporter": True,
            "exporter_host": "127.0.0.1",
            "exporter_port": port,
        },
        database={"connection": f"sqlite:///{folder / 'distil.sqlite'}"},
        **telemetry,
    )
    config.write_text(text, encoding="utf-8")
    return config


def _sample_directory(text: str) -> list[pathlib.Path]:
    paths = [pathlib.Path(text, name) for name in SAMPLE_FILES]
    for path in paths:
        if not path.is_file():
            raise argparse.ArgumentTypeError(f"{path} does not exist")
    return paths


def _sample_files() -> list[pathlib.Path]:
    """The sample files of the clone that this module is in, or those that the package has installed."""
    of_clone = [_CLONE / "etc" / "distil" / name for name in SAMPLE_FILES]
    if all(path.is_file() for path in of_clone):
        return of_clone
    installed = importlib.metadata.files("distil") or []
    found = {path.name: pathlib.Path(path.locate()) for path in installed if path.parts[-3:-1] == ("etc", "distil")}
    try:
        return [found[name] for name in SAMPLE_FILES]
    except KeyError as error:
        raise DemoError(f"{error.args[0]} is not installed; --etc DIR names its directory") from None


def _command(program: str, config: pathlib.Path, *arguments: str) -> list[str]:
    return [_path(program), "--config-file", str(config), *arguments]


def _path(program: str) -> str:
    """The path of a console script, beside the interpreter or on PATH."""
    search = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    found = shutil.which(program, path=search)
    if found is None:
        raise DemoError(f"{program} is not installed")
    return found


def _format_command(program: str, config: pathlib.Path, *arguments: str) -> str:
    """A command to paste: with the program's name if PATH finds it, otherwise with its path."""
    path, *rest = _command(program, config, *arguments)
    return shlex.join([program if shutil.which(program) == path else path, *rest])


def _call(command: list[str]) -> None:
    """:raises DemoError: the command failed; it has printed why."""
    status = subprocess.run(command, check=False).returncode
    if status:
        raise DemoError(f"{pathlib.Path(command[0]).name} exited with status {status}")


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _tail(log: pathlib.Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8").splitlines()[-10:]) if log.exists() else "(empty)"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
