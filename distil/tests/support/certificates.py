# SPDX-License-Identifier: Apache-2.0
"""Certificates of authorities of the tests' own, in files."""

import datetime
import pathlib

import trustme


class Authority:
    """A certificate authority.

    :param folder: where its files are.
    """

    def __init__(self, folder: pathlib.Path, name: str = "authority") -> None:
        self._folder = folder
        self._name = name
        self._authority = trustme.CA()
        self.file = folder / f"{name}.pem"
        self._authority.cert_pem.write_to_path(str(self.file))

    def issue(self, host: str = "127.0.0.1", days: int = 30) -> tuple[pathlib.Path, pathlib.Path]:
        """A certificate's file and its key's.

        :param days: how long it is valid; less than 0: since when it has not been valid any more.
        """
        now = datetime.datetime.now(datetime.UTC)
        begin, end = now - datetime.timedelta(days=60), now + datetime.timedelta(days=days)
        issued = self._authority.issue_cert(host, not_before=begin, not_after=end)
        certificate, key = (self._folder / f"{self._name}-{host}-{days}.{kind}" for kind in ("crt", "key"))
        certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(str(key))
        return certificate, key
