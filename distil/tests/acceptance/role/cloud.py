# SPDX-License-Identifier: Apache-2.0
"""The sandbox cloud, over TLS."""

import pathlib
import ssl
from typing import Any

from distil.sandbox.cloud import Cloud


class TlsCloud(Cloud):
    """:param certificate: a certificate's file and its key's.
    :param settings: of the cloud.
    """

    def __init__(self, certificate: tuple[pathlib.Path, pathlib.Path], **settings: Any) -> None:
        super().__init__(**settings)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
        own = self._server.socket
        self._server.socket = context.wrap_socket(own, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        return super().url.replace("http:", "https:")
