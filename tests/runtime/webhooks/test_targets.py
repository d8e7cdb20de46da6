"""Signatures as Standard Webhooks has them, and addresses where no webhook may go."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from runtime.webhooks.signing import headers_of
from runtime.webhooks.targets import TargetRefused, check_url, is_public, resolve

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_the_signature_is_that_of_the_specification() -> None:
    """The values are those that the specification's own libraries are tested by."""
    assert headers_of(ID, 1614265330, b'{"test": 2432232314}', SECRET) == {
        "webhook-id": ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",  # noqa: S104  it is looked at, not bound
            "100.64.0.1",
            "224.0.0.1",
        ),
        *("::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "2002:7f00:1::1", "64:ff9b::7f00:1", "::", "ff02::1"),
    ],
)
def test_an_address_of_no_public_network_is_seen(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_a_public_address_passes(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/hook", "only https"),
        ("ftp://example.com/hook", "is no address such as"),
        ("https:///hook", "is no address such as"),
        ("https://me:pass@example.com/hook", "a name, a password or a fragment"),
        ("https://example.com/hook#part", "a name, a password or a fragment"),
        ("https://example.com:99999/hook", "is no address"),
        ("https://exa mple.com/", "must be a host"),
        (f"https://example.com/{'x' * 500}", "is no address such as"),
    ],
)
def test_an_address_that_is_none_is_refused(url: str, reason: str) -> None:
    with pytest.raises(TargetRefused, match=reason):
        check_url(url, private=False)


def test_plain_http_goes_where_private_targets_may() -> None:
    check_url("http://127.0.0.1:8299/hook", private=True)
    assert resolve("http://127.0.0.1:8299/hook", private=True) == "127.0.0.1"


def test_a_name_is_refused_if_one_of_its_addresses_is_not_public(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(_host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(2, 1, 6, "", (address, port)) for address in ("1.1.1.1", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with pytest.raises(TargetRefused, match=r"example\.com is 127\.0\.0\.1, which is not public"):
        resolve("https://example.com/hook", private=False)
