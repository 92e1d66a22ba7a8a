# SPDX-License-Identifier: Apache-2.0
"""Serve a WSGI application on a free port: ``serve_wsgi.py MODULE:NAME``. Runs in a real service's environment."""

import importlib
import socketserver
import sys
from wsgiref import simple_server


class ThreadingServer(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    daemon_threads = True


def main() -> None:
    module, _, name = sys.argv.pop().partition(":")  # the application would take it for an argument of its own
    application = getattr(importlib.import_module(module), name)
    server = simple_server.make_server("127.0.0.1", 0, application, ThreadingServer)
    sys.stdout.write(f"Available at http://127.0.0.1:{server.server_port}/\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
