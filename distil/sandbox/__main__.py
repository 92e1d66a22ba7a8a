# SPDX-License-Identifier: Apache-2.0
"""``distil-sandbox``: the sandbox cloud as a process of its own, and a demonstration of the collector with it."""

import argparse
import importlib.metadata
import signal
import sys
from collections.abc import Sequence

from distil.sandbox import arguments as types
from distil.sandbox import demo
from distil.sandbox.cloud import Cloud
from distil.sandbox.http.response_fault import SERVICES
from distil.sandbox.telemetry import TELEMETRY
from distil.sandbox.telemetry import telemetry_sections


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command; the exit status is the answer."""
    parser = argparse.ArgumentParser(prog="distil-sandbox", description="A cloud in a process, with synthetic usage.")
    parser.add_argument("--version", action="version", version=importlib.metadata.version("distil"))
    commands = parser.add_subparsers(title="commands", required=True)
    _add_serve(commands)
    demo.add_command(commands)
    options = parser.parse_args(arguments)
    status: int = options.run(options)
    return status


def _add_serve(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    serve = commands.add_parser("serve", help="serve the cloud until SIGINT or SIGTERM")
    serve.set_defaults(run=_serve)
    count = types.whole_number(1, types.MAX_PROJECTS)
    resources = types.whole_number(1, types.MAX_RESOURCES)
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument(
        "--port", type=types.whole_number(0, types.MAX_PORT), default=0, help="0, the default, is any that is free"
    )
    serve.add_argument("--projects", type=count, default=10)
    serve.add_argument("--resources", type=resources, default=2, help="of each project, for each meter")
    serve.add_argument("--seed", type=int, default=0)
    serve.add_argument("--start", type=types.moment, help="when usage begins, in UTC; three hours ago by default")
    serve.add_argument(
        "--telemetry", choices=TELEMETRY, default=TELEMETRY[0], help="the service that the printed configuration names"
    )
    serve.add_argument("--role", default="admin", help="of the user, on the service project")
    serve.add_argument("--list-limit", type=count, help="projects on a page of Keystone's")
    serve.add_argument("--token-lifetime", type=types.seconds, default=3600, help="in seconds")
    serve.add_argument(
        "--latency",
        type=types.latency(SERVICES),
        action="append",
        default=[],
        metavar="SERVICE=SECONDS",
        help=f"before each answer; SERVICE is one of {', '.join(SERVICES)}",
    )


def _serve(options: argparse.Namespace) -> int:
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    try:
        cloud = Cloud(
            projects=options.projects,
            resources=options.resources,
            seed=options.seed,
            start=options.start,
            list_limit=options.list_limit,
            token_lifetime=options.token_lifetime,
            latency=dict(options.latency),
            role=options.role,
            host=options.host,
            port=options.port,
        )
    except OSError as error:
        sys.stderr.write(f"distil-sandbox serve: cannot listen on {options.host}, port {options.port}: {error}\n")
        return 1
    with cloud:
        conf = cloud.conf(**telemetry_sections(cloud, options.telemetry))
        print(f"# {cloud.auth_url}\n{conf}", end="", flush=True)
        signal.sigwait(ends)
    return 0


if __name__ == "__main__":
    sys.exit(main())
