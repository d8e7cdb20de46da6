"""A certificate of this machine's own names for development, by an authority that can never sign another."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAMES = ("localhost", "127.0.0.1", "::1")
AUTHORITY = "taptrade for development"
DAYS = 397
"""Browsers refuse what is valid for longer."""


def main(argv: Sequence[str] | None = None) -> int:
    """Make a certificate for development and say how to trust it."""
    parser = argparse.ArgumentParser(prog="make cert", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="where fullchain.pem, privkey.pem and authority.pem go")
    folder: Path = parser.parse_args(argv).folder.absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write(folder, NAMES, datetime.now(UTC))
    there, authority = shlex.quote(str(folder)), shlex.quote(str(folder / "authority.pem"))
    print(
        f"{folder} holds a certificate for {', '.join(NAMES)}, valid for {DAYS} days.\n"
        f"The edge with it:     EDGE_TLS={there} nginx/render build/edge   (docs/deployment.md, TLS)\n"
        f"curl with it:         curl --cacert {authority} https://127.0.0.1:8443/\n"
        f"taptrade with it:     SSL_CERT_FILE={authority} .venv/bin/taptrade player --url https://127.0.0.1:8443\n"
        f"A browser:            import {folder}/authority.pem among its authorities; its key was thrown away after\n"
        "                      this one signature, so that nobody can make others that you would trust."
    )
    return 0


def write(folder: Path, names: Sequence[str], now: datetime) -> None:
    """Write the certificate, its key, and the authority that browsers are to trust."""
    authority_key, key = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    authority = _authority(authority_key, now)
    certificate = _certificate(key, names, authority, authority_key, now)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = certificate.public_bytes(Encoding.PEM), authority.public_bytes(Encoding.PEM)
    for name, content in (("privkey.pem", secret), ("fullchain.pem", b"".join(chain)), ("authority.pem", chain[1])):
        (folder / name).unlink(missing_ok=True)
        with os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)


def _builder(key: EllipticCurvePrivateKey, name: str, now: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _authority(key: EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    return (
        _builder(key, AUTHORITY, now)
        .issuer_name(_name(AUTHORITY))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _certificate(
    key: EllipticCurvePrivateKey,
    names: Sequence[str],
    authority: x509.Certificate,
    authority_key: EllipticCurvePrivateKey,
    now: datetime,
) -> x509.Certificate:
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _builder(key, names[0], now)
        .issuer_name(authority.subject)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


if __name__ == "__main__":
    raise SystemExit(main())
