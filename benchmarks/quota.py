# SPDX-License-Identifier: Apache-2.0
"""Processes that have no more than a part of a core, by the kernel's control groups."""

import contextlib
import pathlib
import tempfile
from collections.abc import Iterator
from collections.abc import Sequence

_ROOT = pathlib.Path("/sys/fs/cgroup")
_PERIOD = 100_000

_ENTER = 'echo $$ >"$0" && exec "$@"'


@contextlib.contextmanager
def limited(processes: int, share: float) -> Iterator[list[Sequence[str]]]:
    """For each process the beginning of a command line with which it has that share of a core to itself.

    Without any where that is not to be had: it takes root, and control groups that can be written.
    """
    with contextlib.ExitStack() as stack:
        try:
            groups = [stack.enter_context(_group(share)) for _ in range(processes)]
        except OSError:
            yield []
            return
        yield [["sh", "-c", _ENTER, str(group / "cgroup.procs")] for group in groups]


@contextlib.contextmanager
def _group(share: float) -> Iterator[pathlib.Path]:
    quota = int(share * _PERIOD)
    old = _ROOT / "cpu"
    group = pathlib.Path(tempfile.mkdtemp(prefix="distil-", dir=old if old.is_dir() else _ROOT))
    try:
        if old.is_dir():
            (group / "cpu.cfs_quota_us").write_text(str(quota), encoding="ascii")
        else:
            (group / "cpu.max").write_text(f"{quota} {_PERIOD}", encoding="ascii")
        yield group
    finally:
        group.rmdir()
