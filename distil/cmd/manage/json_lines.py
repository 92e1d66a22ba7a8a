# SPDX-License-Identifier: Apache-2.0
"""A format for rows of any number: JSON Lines, an object a row."""

import argparse
import json
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import TextIO

from cliff import columns
from cliff.formatters import base


class JSONLines(base.ListFormatter):
    """Shows each row as it comes, and holds none."""

    def add_argument_group(self, parser: argparse.ArgumentParser) -> None:
        """It has no options."""

    def emit_list(
        self,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
        stdout: TextIO,
        parsed_args: argparse.Namespace,
    ) -> None:
        stdout.writelines(json.dumps(dict(zip(column_names, map(_plain, row), strict=True))) + "\n" for row in data)


def _plain(value: Any) -> Any:
    return value.machine_readable() if isinstance(value, columns.FormattableColumn) else value
