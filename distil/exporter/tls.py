# SPDX-License-Identifier: Apache-2.0
"""TLS for the exporter."""

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
                raise _problem(f"{option} is set, but exporter_certfile is not: there is no TLS without a certificate")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    _certificates("exporter_certfile", certfile, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    _show(context, certfile, keyfile)
    if client_cafile:
        _certificates("exporter_client_cafile", client_cafile, context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _certificates(option: str, path: str, context: ssl.SSLContext) -> None:
    """Trust the certificates of a file, to which they must be for that."""
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise _problem(f"{option} is {path}, which holds no certificate in PEM: {error.reason}") from error
    except OSError as error:
        raise _problem(f"{option} is {path}, which cannot be read: {error.strerror}") from error


def _show(context: ssl.SSLContext, certfile: str, keyfile: str | None) -> None:
    option, path = ("exporter_keyfile", keyfile) if keyfile else ("exporter_certfile", certfile)

    def encrypted() -> str:
        # Without this OpenSSL would ask at the terminal.
        raise _problem(f"{option} is {path}, whose key is encrypted; there is no option for its passphrase")

    try:
        context.load_cert_chain(certfile, keyfile, encrypted)
    except ssl.SSLError as error:
        raise _problem(
            f"{option} is {path}, which holds no key of the certificate in {certfile}: {error.reason}"
        ) from error
    except OSError as error:
        raise _problem(f"{option} is {path}, which cannot be read: {error.strerror}") from error


def _problem(text: str) -> exceptions.ConfigurationError:
    return exceptions.ConfigurationError([text])
