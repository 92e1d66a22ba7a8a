# SPDX-License-Identifier: Apache-2.0
"""What is said of a configuration that cannot be read."""

from oslo_config import cfg


def problems(error: Exception) -> list[str]:
    """An error's lines, for the operator.

    A line of a file that cannot be parsed is not repeated: it may be the one with the password.
    """
    if isinstance(error, cfg.ConfigFileParseError):
        fault = error.__context__
        where = f": at {fault.filename}:{fault.lineno}, {fault.msg}" if isinstance(fault, cfg.ParseError) else ""
        return [f"{error.config_file} cannot be parsed{where}"]
    return str(error).splitlines() or [repr(error)]
