"""A certificate that the server makes for itself, once, and keeps beside its state."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAYS = 3650
ADDRESSES = ("127.0.0.1", "::1")


def make(server: str = "mt5") -> tuple[str, str]:
    """(certificate, key) as PEM, for localhost and `sandbox-<server>`. It signs itself, so it is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Keelson sandbox {server} server")])
    now = dt.datetime.now(dt.UTC)
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in ("localhost", f"sandbox-{server}")]
    alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in ADDRESSES]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


class Identity:
    """The server's certificate: read from beside the state file, or made and kept there."""

    def __init__(self, state: str, server: str = "mt5") -> None:
        if state == ":memory:":
            self.certificate, self.key = make(server)
            return
        public, private = Path(f"{state}.crt"), Path(f"{state}.key")
        if not (public.exists() and private.exists()):
            certificate, key = make(server)
            private.touch(mode=0o600)
            private.write_text(key)
            public.write_text(certificate)
        self.certificate, self.key = public.read_text(), private.read_text()

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:  # the library reads keys from files only
            file.write(self.certificate + self.key)
            file.flush()
            context.load_cert_chain(file.name)
        return context
