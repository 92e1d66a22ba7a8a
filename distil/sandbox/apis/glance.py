# SPDX-License-Identifier: Apache-2.0
"""Glance's v2 API: images."""

import html
from collections.abc import Sequence
from typing import Any

from distil.sandbox.data import inventory
from distil.sandbox.data.resources import Resources
from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http.api import Api
from distil.sandbox.http.messages import HTTPError
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.messages import Route
from distil.sandbox.http.messages import json_response

_TITLES = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 500: "Internal Server Error"}
_VERSIONS = (("v2.17", "CURRENT"), ("v2.16", "SUPPORTED"), ("v2.0", "SUPPORTED"))


class GlanceApi(Api):
    """Serves public images, and the private images that have samples."""

    name = "image"
    prefix = "image"

    def __init__(self, url: str, tokens: Tokens, resources: Resources) -> None:
        super().__init__(url, tokens)
        self._resources = resources

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/v2/images", lambda _: self._images()),
            Route("GET", "/v2/images/{id}", self._image),
            Route("GET", "/", lambda _: self._versions(300), public=True),
            Route("GET", "/versions", lambda _: self._versions(200), public=True),
        )

    def error(self, status: int, message: str) -> HTTPResponse:
        """Return an HTML page, as Glance does for most errors."""
        title = f"{status} {_TITLES.get(status, 'Error')}"
        text = f"<html><head><title>{title}</title></head><body><h1>{title}</h1>{html.escape(message)}</body></html>"
        return HTTPResponse(status, text.encode(), "text/html; charset=UTF-8")

    def _image_not_found(self, request: HTTPRequest, message: str) -> HTTPError:
        """Return what webob, on which Glance is built, answers: JSON only to clients that accept it."""
        if "application/json" not in request.headers.get("Accept", ""):
            return self.not_found(message)
        return HTTPError(json_response({"message": message, "code": "404 Not Found", "title": "Not Found"}, 404))

    def _versions(self, status: int) -> HTTPResponse:
        links = [{"rel": "self", "href": f"{self.url}/v2/"}]
        versions = [{"id": name, "status": state, "links": links} for name, state in _VERSIONS]
        return json_response({"versions": versions}, status)

    def _images(self) -> HTTPResponse:
        documents = [_document(image, "public") for image in inventory.PUBLIC_IMAGES]
        return json_response({"images": documents, "schema": "/v2/schemas/images", "first": "/v2/images"})

    def _image(self, request: HTTPRequest, image_id: str) -> HTTPResponse:
        for image in inventory.PUBLIC_IMAGES:
            if image.id == image_id:
                return json_response(_document(image, "public"))
        location = self._resources.locate("image", image_id)
        if location is None:
            raise self._image_not_found(request, f"Failed to find image {image_id}")
        return json_response(_document(inventory.Image(image_id, f"image-{location.index}", None), "private"))


def _document(image: inventory.Image, visibility: str) -> dict[str, Any]:
    document = {
        "id": image.id,
        "name": image.name,
        "status": "active",
        "visibility": visibility,
        "disk_format": "qcow2",
        "container_format": "bare",
        "protected": False,
        "tags": [],
        "self": f"/v2/images/{image.id}",
        "file": f"/v2/images/{image.id}/file",
        "schema": "/v2/schemas/image",
    }
    return document | ({"os_distro": image.os_distro} if image.os_distro else {})
