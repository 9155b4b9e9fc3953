"""A throw-away certificate authority, and the server certificate it signs for loopback."""

import ssl
from pathlib import Path

import trustme


def issue(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make an authority and a certificate; write only the authority's certificate, `ca.pem`, into `folder`.

    Returns the server's TLS context and the path of `ca.pem`. The private keys stay in memory, apart from the moment
    trustme hands the server's to OpenSSL.
    """
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # `localhost` is there so that a client which follows a nextLink to another host is seen, not saved by TLS.
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return context, file
