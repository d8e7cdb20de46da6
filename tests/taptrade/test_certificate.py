"""The certificate for development: whom it is for, who signs it, who may read its key, and what one is told of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from taptrade.certificate import DAYS, NAMES, main


def test_it_is_for_this_machine_signed_by_its_authority_and_read_by_its_owner(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "tls"
    assert main([str(folder)]) == 0
    first = (folder / "fullchain.pem").read_bytes()
    assert main([str(folder)]) == 0

    served, authority = x509.load_pem_x509_certificates((folder / "fullchain.pem").read_bytes())
    assert (folder / "fullchain.pem").read_bytes() != first
    assert x509.load_pem_x509_certificate((folder / "authority.pem").read_bytes()) == authority
    soon = datetime.now(UTC) + timedelta(days=DAYS - 1)
    trusting = PolicyBuilder().store(Store([authority])).time(soon)
    for name in NAMES:
        subject = x509.DNSName(name) if name == "localhost" else x509.IPAddress(ip_address(name))
        assert trusting.build_server_verifier(subject).verify(served, []) == [served, authority]
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == dict.fromkeys(
        ("authority.pem", "fullchain.pem", "privkey.pem"), 0o600
    )
    assert f"--cacert {folder}/authority.pem" in capsys.readouterr().out


def test_what_is_told_can_be_pasted_where_a_folder_has_a_blank(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new house"
    assert main([str(folder)]) == 0
    said = capsys.readouterr().out
    assert f"EDGE_TLS='{folder}' nginx/render" in said
    assert f"SSL_CERT_FILE='{folder}/authority.pem' .venv/bin/taptrade" in said
