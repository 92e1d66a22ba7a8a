# SPDX-License-Identifier: Apache-2.0
"""The output format JSON Lines, for any number of rows."""

import argparse
import json
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import TextIO

from cliff import columns
from cliff.formatters import base


class JSONLines(base.ListFormatter):
    """Writes each row as a JSON object on a line of its own, as soon as it is read."""

    def add_argument_group(self, parser: argparse.ArgumentParser) -> None:
        """The format has no options."""

    def emit_list(
        self,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
        stdout: TextIO,
        parsed_args: argparse.Namespace,
    ) -> None:
        stdout.writelines(
            json.dumps(dict(zip(column_names, map(_machine_readable, row), strict=True))) + "\n" for row in data
        )


def _machine_readable(value: Any) -> Any:
    return value.machine_readable() if isinstance(value, columns.FormattableColumn) else value
