# SPDX-License-Identifier: Apache-2.0
"""Limits processes to a fraction of a core, with the kernel's control groups."""

import contextlib
import pathlib
import tempfile
from collections.abc import Iterator
from collections.abc import Sequence

_ROOT = pathlib.Path("/sys/fs/cgroup")
_PERIOD_US = 100_000

# $0 is the control group's list of processes; the arguments are the command.
_ENTER_GROUP = 'echo $$ >"$0" && exec "$@"'


@contextlib.contextmanager
def limited(processes: int, cores: float) -> Iterator[list[Sequence[str]]]:
    """Create a control group for each process, and return the prefix by which a command line runs in it.

    Returns no prefixes without root or without writable control groups.

    :param cores: fraction of a core for each process.
    """
    with contextlib.ExitStack() as stack:
        try:
            groups = [stack.enter_context(_control_group(cores)) for _ in range(processes)]
        except OSError:
            yield []
            return
        yield [["sh", "-c", _ENTER_GROUP, str(group / "cgroup.procs")] for group in groups]


@contextlib.contextmanager
def _control_group(cores: float) -> Iterator[pathlib.Path]:
    quota_us = int(cores * _PERIOD_US)
    version_1 = _ROOT / "cpu"
    group = pathlib.Path(tempfile.mkdtemp(prefix="distil-", dir=version_1 if version_1.is_dir() else _ROOT))
    try:
        if version_1.is_dir():
            (group / "cpu.cfs_quota_us").write_text(str(quota_us), encoding="ascii")
        else:
            (group / "cpu.max").write_text(f"{quota_us} {_PERIOD_US}", encoding="ascii")
        yield group
    finally:
        group.rmdir()
