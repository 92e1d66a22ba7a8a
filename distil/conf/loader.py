# SPDX-License-Identifier: Apache-2.0
"""Reads the command line and the configuration files, and formats what goes wrong."""

import argparse
import importlib.metadata
from collections.abc import Sequence

from oslo_config import cfg

from distil import exceptions
from distil.conf import config_files
from distil.conf import log
from distil.conf import validate
from distil.conf.registry import DEFAULT_GROUP
from distil.conf.registry import TrackedConfigOpts

# oslo.config's exit status for an invalid value; a wrong command line has another.
_INVALID_VALUE_STATUS = 1


def load(conf: TrackedConfigOpts, argv: Sequence[str] | None, prog: str) -> None:
    """Read the command line and the files. The options must be registered.

    :param argv: arguments without the program name; None: those of the process.
    :raises oslo_config.cfg.Error: a file cannot be read.
    :raises ConfigurationError: a file is not valid text, or the value of a command-line option is invalid; with every
        invalid value.
    """
    try:
        conf(argv, project="distil", prog=prog, version=importlib.metadata.version("distil"))
    except SystemExit as error:
        # oslo.config stops at the first invalid value of an option that the command line may set.
        problems = validate.invalid_values(load_files(conf, argv, prog)) if error.code == _INVALID_VALUE_STATUS else []
        if not problems:
            raise
        raise exceptions.ConfigurationError(problems) from error
    except UnicodeDecodeError as error:
        raise exceptions.ConfigurationError(_undecodable_files(conf, argv) or [str(error)]) from error


def set_up_logging(conf: TrackedConfigOpts) -> None:
    """:raises ConfigurationError: logging cannot be configured; with every invalid value, if there is any."""
    try:
        log.reload_logging(conf)
    except exceptions.ConfigurationError:
        validate.require_valid(conf)
        raise


def load_files(conf: TrackedConfigOpts, argv: Sequence[str] | None, prog: str) -> TrackedConfigOpts:
    """Read only the files that the command line names, so that no invalid value ends the process.

    :param conf: has the options to register.
    :raises oslo_config.cfg.Error: a file cannot be read.
    """
    files_only = TrackedConfigOpts()
    for group, options in conf.known.items():
        files_only.register_opts(list(options.values()), group=None if group == DEFAULT_GROUP else group)
    named = _config_arguments(argv)
    arguments = [f"--config-file={path}" for path in named.config_file]
    arguments += [f"--config-dir={path}" for path in named.config_dir]
    files_only(arguments, project="distil", prog=prog)
    return files_only


def error_lines(error: Exception) -> list[str]:
    """The lines of an error message for the operator.

    A line that cannot be parsed is not quoted: it may contain a password.
    """
    match error:
        case cfg.ConfigFileParseError():
            cause = error.__context__
            place = f": at {cause.filename}:{cause.lineno}, {cause.msg}" if isinstance(cause, cfg.ParseError) else ""
            return [f"{error.config_file} cannot be parsed{place}"]
        case cfg.ConfigDirNotFoundError():
            return [f"{error.config_dir} cannot be read: no such directory"]
        case cfg.ConfigFilesNotFoundError():
            return [f"{path} cannot be read: no such file" for path in error.config_files]
        case cfg.ConfigFilesPermissionDeniedError():
            return [f"{path} cannot be read: permission denied" for path in error.config_files]
    return str(error).splitlines() or [repr(error)]


def _config_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for option in ("--config-file", "--config-dir"):
        parser.add_argument(option, action="append", default=[])
    return parser.parse_known_args(argv)[0]


def _undecodable_files(conf: TrackedConfigOpts, argv: Sequence[str] | None) -> list[str]:
    named = _config_arguments(argv)
    problems = []
    for path in config_files.paths(named.config_file or conf.default_config_files, named.config_dir):
        try:
            path.read_text()  # in the encoding that oslo.config uses
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            problems.append(f"{path} cannot be read: line {line} is not valid {error.encoding}")
    return problems
