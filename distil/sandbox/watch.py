# SPDX-License-Identifier: Apache-2.0
"""Waits for a collector's first run and shows its progress."""

import subprocess
import time
import urllib.request
from typing import NamedTuple

import rich.console
import rich.progress
from prometheus_client.parser import text_string_to_metric_families

_POLL_SECONDS = 0.2
_LINE_SECONDS = 5.0
_STALL_SECONDS = 300.0


class RunError(Exception):
    """The first run failed or is incomplete."""


class DemoProgress(NamedTuple):
    """:param committed: windows.
    :param ended: whether the first run is over.
    """

    committed: int = 0
    ended: bool = False


def wait_for_first_run(
    console: rich.console.Console, collector: subprocess.Popen[bytes], port: int, expected: int
) -> None:
    """Wait until the first run has committed all windows.

    :param port: of the collector's exporter, on 127.0.0.1.
    :param expected: number of windows.
    :raises RunError: the collector exited, its run left windows out, or committed none for a long time.
    """
    begin = time.monotonic()
    with _bar(console) as bar:
        task = bar.add_task("windows", total=expected)
        progress, line, moved = DemoProgress(), begin, begin
        while not progress.ended:
            if collector.poll() is not None:
                raise RunError(f"distil-collector exited with status {collector.returncode}")
            if time.monotonic() > moved + _STALL_SECONDS:
                raise RunError(f"distil-collector has committed no window for {_STALL_SECONDS:.0f} seconds")
            time.sleep(_POLL_SECONDS)
            before, progress = progress, _read(port)
            moved = time.monotonic() if progress != before else moved
            bar.update(task, completed=progress.committed)
            if bar.disable and time.monotonic() > line + _LINE_SECONDS and not progress.ended:
                console.print(f"  {progress.committed} of {expected} windows")
                line = time.monotonic()
    if progress.committed < expected:
        raise RunError(f"distil-collector has committed {progress.committed} of {expected} windows")
    console.print(f"  {progress.committed} of {expected} windows in {time.monotonic() - begin:.0f} s")


def _bar(console: rich.console.Console) -> rich.progress.Progress:
    """Gone when it is done; nothing where it would not be seen."""
    return rich.progress.Progress(
        rich.progress.TextColumn("  {task.description}"),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _read(port: int) -> DemoProgress:
    """As the collector's metrics have it; nothing before they can be read."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
    except OSError:
        return DemoProgress()
    samples = [sample for family in families for sample in family.samples]
    windows = {sample.labels["outcome"]: sample.value for sample in samples if sample.name.endswith("_windows_total")}
    (end,) = (sample.value for sample in samples if sample.name.endswith("_last_run_end"))
    return DemoProgress(int(windows["committed"]), end > 0)
