"""The made-up arXiv under arXiv's own names: a CONNECT proxy on loopback that ends TLS itself."""

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from paperpost.fetch.transport import HOSTS
from support.arxiv_server import ArxivServer, _handler_of

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    """
    The proxy while it runs.

    `environment`: what has `requests` go there and trust it. `connects`: every target that was
    asked for, such as `rss.arxiv.org:443`, refused ones too.
    """

    environment: Mapping[str, str]
    connects: list[str] = field(default_factory=list)


@contextmanager
def secured(server: ArxivServer, folder: Path) -> Iterator[Secured]:
    """*server* behind https at arXiv's hosts; certificates of a new authority lie in *folder*."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trusted, chain = _certificates(folder)
    context.load_cert_chain(chain)
    connects = list[str]()
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), _proxy_of(server, context, connects))
    proxy.daemon_threads = True
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield Secured(
            environment={
                "HTTPS_PROXY": f"http://127.0.0.1:{proxy.server_port}",
                "REQUESTS_CA_BUNDLE": str(trusted),
            },
            connects=connects,
        )
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()


def _proxy_of(
    server: ArxivServer, context: ssl.SSLContext, connects: list[str]
) -> type[BaseHTTPRequestHandler]:
    inside = _handler_of(server)

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            self.close_connection = True
            connects.append(self.path)
            if self.path not in {f"{host}:443" for host in HOSTS}:
                self.send_error(403)
                return
            self.send_response(200)
            self.end_headers()
            with context.wrap_socket(self.connection, server_side=True) as secure:
                inside(secure, self.client_address, self.server)

        def log_message(self, *_: object) -> None:
            pass

    return Proxy


def _certificates(folder: Path) -> tuple[Path, Path]:
    """Files with the authority's certificate, and with one for arXiv's hosts and its key."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority_name = _named("Test authority")
    authority = (
        _certificate(authority_name, authority_name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in sorted(HOSTS)])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    certificate = (
        _certificate(_named("Made-up arXiv"), authority_name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(names, critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    trusted, chain = folder / "authority.pem", folder / "arxiv.pem"
    trusted.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
    return trusted, chain


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)  # TLS looks at the real clock
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _HOUR)
        .not_valid_after(now + 24 * _HOUR)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
