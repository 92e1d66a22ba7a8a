# SPDX-License-Identifier: Apache-2.0
"""Finds the API and the route of a request."""

from typing import NamedTuple

from distil.sandbox.http.api import Api
from distil.sandbox.http.messages import Route


class RouteMatch(NamedTuple):
    """The destination of a request.

    :param path: below the API's prefix.
    :param route: None if the API has no such route.
    :param arguments: segments of the path for the route's handler.
    """

    api: Api
    path: str
    route: Route | None
    arguments: tuple[str, ...]


class Router:
    """Maps the first path segment to an API, and the rest to one of its routes."""

    def __init__(self) -> None:
        self._apis: dict[str, tuple[Api, tuple[Route, ...]]] = {}

    def mount(self, api: Api) -> None:
        """Serve an API under its prefix."""
        self._apis[api.prefix] = (api, tuple(api.routes()))

    def match(self, method: str, target: str) -> RouteMatch | None:
        """Return the destination of a request, or None if no API has its prefix.

        :param target: path without the query string, percent-encoded.
        """
        prefix, _, rest = target.removeprefix("/").partition("/")
        if prefix not in self._apis:
            return None
        api, routes = self._apis[prefix]
        path = f"/{rest}"
        for route in routes:
            arguments = route.match(method, path)
            if arguments is not None:
                return RouteMatch(api, path, route, arguments)
        return RouteMatch(api, path, None, ())
