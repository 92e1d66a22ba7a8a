# SPDX-License-Identifier: Apache-2.0
"""The files of TLS that options name: tried at start, so that what is wrong with one is told by option and file."""

import os
import ssl

from distil import exceptions


def server_context(certfile: str | None, keyfile: str | None, client_cafile: str | None) -> ssl.SSLContext | None:
    """What the exporter shows and demands; None where it is to speak plain HTTP.

    :param certfile: certificate, with those between it and its authority's, in PEM.
    :param keyfile: the certificate's key, in PEM; None where it is in the certificate's file.
    :param client_cafile: certificates in PEM; where there are some, only clients are let in that have a certificate of
        one of these authorities.
    :raises ConfigurationError: a file cannot be used, or is missing.
    """
    if not certfile:
        for option, path in (("exporter_keyfile", keyfile), ("exporter_client_cafile", client_cafile)):
            if path:
                raise _problem(f"{option} is set, but exporter_certfile is not")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    _show(context, "exporter_", certfile, keyfile)
    if client_cafile:
        _trust(context, "exporter_client_cafile", client_cafile)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_problems(group: str, cafile: str | None, certfile: str | None, keyfile: str | None) -> list[str]:
    """What is wrong with what a client is to trust and to show.

    :param group: of the options, for messages.
    :param cafile: a file, or a directory as OpenSSL wants it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    problems: list[str] = []
    try:
        if cafile:
            _trust(context, f"[{group}] cafile", cafile)
    except exceptions.ConfigurationError as error:
        problems += error.problems
    try:
        if certfile:
            _show(context, f"[{group}] ", certfile, keyfile)
        elif keyfile:
            raise _problem(f"[{group}] keyfile is set, but certfile is not")
    except exceptions.ConfigurationError as error:
        problems += error.problems
    return problems


def _trust(context: ssl.SSLContext, option: str, path: str) -> None:
    try:
        if os.path.isdir(path):
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise _problem(f"{option} is {path}, which holds no certificate in PEM: {error.reason}") from error
    except OSError as error:
        raise _problem(f"{option} is {path}, which cannot be read: {error.strerror}") from error


def _show(context: ssl.SSLContext, prefix: str, certfile: str, keyfile: str | None) -> None:
    # The certificate first and alone: load_cert_chain does not say which of its files it did not like.
    _trust(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), f"{prefix}certfile", certfile)
    named = f"{prefix}keyfile is {keyfile}" if keyfile else f"{prefix}certfile is {certfile}"

    def encrypted() -> str:
        # Without this OpenSSL would ask at the terminal.
        raise _problem(f"{named}, whose key is encrypted; there is no option for its passphrase")

    try:
        context.load_cert_chain(certfile, keyfile, encrypted)
    except ssl.SSLError as error:
        raise _problem(f"{named}, which holds no key of the certificate in {certfile}: {error.reason}") from error
    except OSError as error:
        raise _problem(f"{named}, which cannot be read: {error.strerror}") from error


def _problem(text: str) -> exceptions.ConfigurationError:
    return exceptions.ConfigurationError([text])
