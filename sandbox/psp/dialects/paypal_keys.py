"""The key that signs the sandbox's PayPal webhooks, with a certificate from an authority of its own."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOST = "messageverificationcerts.paypal.com"


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def make_chain(
    host: str = HOST, *, days: int = 30, begins: timedelta = timedelta(days=-1)
) -> tuple[rsa.RSAPrivateKey, list[x509.Certificate]]:
    """Make a key, its certificate, and the authority's; for tests also of another host or another time."""
    authority_key, key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    start = datetime.now(UTC) + begins
    usage = {
        "content_commitment": False,
        "key_encipherment": False,
        "data_encipherment": False,
        "key_agreement": False,
        "encipher_only": False,
        "decipher_only": False,
    }

    def built(subject: str, public_key: rsa.RSAPublicKey, *, is_authority: bool) -> x509.Certificate:
        key_usage = x509.KeyUsage(
            digital_signature=not is_authority, key_cert_sign=is_authority, crl_sign=is_authority, **usage
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name("Sandbox Authority"))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(key_usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
        )
        if not is_authority:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        return builder.sign(authority_key, hashes.SHA256())

    leaf = built(host, key.public_key(), is_authority=False)
    return key, [leaf, built("Sandbox Authority", authority_key.public_key(), is_authority=True)]


def pem(certificates: list[x509.Certificate]) -> bytes:
    """Write certificates as PEM."""
    return b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in certificates)


class SigningKey:
    """One RSA key with its chain."""

    def __init__(self) -> None:
        self._key, chain = make_chain()
        self.chain_pem = pem(chain)
        self.name = f"CERT-{chain[0].serial_number:x}"[:30]

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())
