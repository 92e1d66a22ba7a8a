# SPDX-License-Identifier: Apache-2.0
"""A cloud over TLS."""

import pathlib
import ssl
from collections.abc import Mapping

from distil.tests.support.fake_cloud import ENDPOINTS
from distil.tests.support.fake_cloud import Answer
from distil.tests.support.fake_cloud import Cloud

ANSWERS = {
    "/identity/v3/projects": Answer({"projects": [{"id": "p1", "name": "one"}]}),
    "/compute/v2.1/flavors/1": Answer({"flavor": {"id": "1", "name": "c1.c1r1"}}),
    "/metering/v2/samples": Answer([{"id": "s1"}]),
}


class TlsCloud(Cloud):
    """:param certificate: a certificate's file and its key's.
    :param client_cafile: where it is there, clients need a certificate of this authority.
    """

    def __init__(
        self, certificate: tuple[pathlib.Path, pathlib.Path], client_cafile: pathlib.Path | None = None
    ) -> None:
        super().__init__()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
        if client_cafile:
            context.load_verify_locations(client_cafile)
            context.verify_mode = ssl.CERT_REQUIRED
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.url = self.url.replace("http:", "https:")
        answers: Mapping[str, Answer] = ANSWERS
        self.answers = {**self._discovery(), **answers}
        self.offer({**ENDPOINTS, "metering": "/metering"})

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that left in the middle of a handshake is what tests are about."""
