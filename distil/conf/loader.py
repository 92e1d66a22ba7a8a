# SPDX-License-Identifier: Apache-2.0
"""Reads the command line and the files, and says what is wrong with them."""

import argparse
import importlib.metadata
from collections.abc import Sequence

from oslo_config import cfg

from distil import exceptions
from distil.conf import files
from distil.conf import log
from distil.conf import values
from distil.conf.options import DEFAULT_GROUP
from distil.conf.options import TrackedConfigOpts

# What oslo.config ends the process with where a value is wrong; where the command line is it is another.
_WRONG_VALUE = 1


def load(conf: TrackedConfigOpts, argv: Sequence[str] | None, prog: str) -> None:
    """Read them. The options are registered.

    :param argv: arguments after the program's name; None: those of the process.
    :raises oslo_config.cfg.Error: a file cannot be read.
    :raises ConfigurationError: nor can another, or values are wrong that the command line may have, too.
    """
    try:
        conf(argv, project="distil", prog=prog, version=importlib.metadata.version("distil"))
    except SystemExit as error:
        # It has taken the first for the command line's, and told no other.
        found = values.invalid_values(load_files(conf, argv, prog)) if error.code == _WRONG_VALUE else []
        if not found:
            raise
        raise exceptions.ConfigurationError(found) from error
    except UnicodeDecodeError as error:
        raise exceptions.ConfigurationError(_undecodable(conf, argv) or [str(error)]) from error


def set_up_logging(conf: TrackedConfigOpts) -> None:
    """:raises ConfigurationError: there is no logging so; with every wrong value, where there are any."""
    try:
        log.reload_logging(conf)
    except exceptions.ConfigurationError:
        values.require_valid(conf)
        raise


def load_files(conf: TrackedConfigOpts, argv: Sequence[str] | None, prog: str) -> TrackedConfigOpts:
    """The files that the command line names, alone: no value in them ends the process.

    :param conf: has the options that are to be known.
    :raises oslo_config.cfg.Error: a file cannot be read.
    """
    alone = TrackedConfigOpts()
    for group, options in conf.known.items():
        alone.register_opts(list(options.values()), group=None if group == DEFAULT_GROUP else group)
    named = _files(argv)
    arguments = [f"--config-file={path}" for path in named.config_file]
    arguments += [f"--config-dir={path}" for path in named.config_dir]
    alone(arguments, project="distil", prog=prog)
    return alone


def error_lines(error: Exception) -> list[str]:
    """An error's lines, for the operator.

    A line of a file that cannot be parsed is not repeated: it may be the one with the password.
    """
    match error:
        case cfg.ConfigFileParseError():
            fault = error.__context__
            where = f": at {fault.filename}:{fault.lineno}, {fault.msg}" if isinstance(fault, cfg.ParseError) else ""
            return [f"{error.config_file} cannot be parsed{where}"]
        case cfg.ConfigFilesNotFoundError():
            return [f"{path} cannot be read: there is no such file" for path in error.config_files]
        case cfg.ConfigFilesPermissionDeniedError():
            return [f"{path} cannot be read: permission denied" for path in error.config_files]
    return str(error).splitlines() or [repr(error)]


def _files(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for option in ("--config-file", "--config-dir"):
        parser.add_argument(option, action="append", default=[])
    return parser.parse_known_args(argv)[0]


def _undecodable(conf: TrackedConfigOpts, argv: Sequence[str] | None) -> list[str]:
    named = _files(argv)
    found = []
    for path in files.paths(named.config_file or conf.default_config_files, named.config_dir):
        try:
            path.read_text()  # in the encoding that oslo.config takes
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            found.append(f"{path} cannot be read: line {line} is no {error.encoding} text")
    return found
