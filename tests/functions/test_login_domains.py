"""A domain as an operator may write it, and the login of a page that is met there, signed by eth-account itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from runtime.settings import load
from tests.functions.signing_in import House, app_of
from tests.runtime.auth.logins import KEY, message

MET: list[tuple[str, str, str]] = [
    ("Play.Example.org", "https", "play.example.org"),
    ("play.example.org:443", "https", "play.example.org"),
    ("play.example.org:80", "http", "play.example.org"),
    ("play.example.org.", "https", "play.example.org"),
    ("play.example.org:8443", "https", "play.example.org:8443"),
    ("bücher.example", "https", "xn--bcher-kva.example"),
    ("BÜCHER.example:08000", "http", "xn--bcher-kva.example:8000"),
    ("my_host:8000", "http", "my_host:8000"),
    ("[0:0:0:0:0:0:0:1]:8000", "http", "[::1]:8000"),
    ("10.0.0.7", "http", "10.0.0.7"),
    ("www.example.org, play.example.org:443", "https", "play.example.org"),
]
"""The setting, and scheme and host (`location.host`) of the page."""


def log_in(house: House, domain: str, uri: str, **headers: str) -> tuple[int, bool]:
    """Log in from a page; the status, and whether the page got a cookie."""
    text = message(house.now_ms, domain=domain, uri=uri).to_text()
    signature = Account.sign_message(encode_defunct(text=text), KEY).signature.to_0x_hex()
    result = house.post_login(text, signature, **headers)
    return result.status_code, "set-cookie" in result.headers


def met_at(house: House, setting: str) -> House:
    """Set where the house is met, in live mode: there only what was set counts."""
    settings = load({"TAPTRADE_DOMAIN": setting})
    house.parts.settings = replace(house.parts.settings, domains=settings.domains, mode="live")
    house.client = app_of(house.parts)
    return house


@pytest.mark.parametrize(("setting", "scheme", "host"), MET)
def test_a_page_of_the_domain_logs_in_however_that_was_set(house: House, setting: str, scheme: str, host: str) -> None:
    origin = f"{scheme}://{host}"
    assert log_in(met_at(house, setting), host, origin, Origin=origin, Host="127.0.0.1:8000") == (200, True)


@pytest.mark.parametrize(
    ("domain", "uri"),
    [
        ("play.example.org:443", "https://play.example.org:443/"),
        ("play.example.org", "https://play.example.org:443/"),
        ("PLAY.example.org:80", "http://play.example.org"),
    ],
)
def test_a_client_may_name_the_port_that_browsers_leave_out(house: House, domain: str, uri: str) -> None:
    assert log_in(met_at(house, "play.example.org"), domain, uri)[0] == 200


@pytest.mark.parametrize("host", ["play.example.org:8443", "example.org", "play.example.org.evil.example", ":443"])
def test_a_page_of_another_host_does_not(house: House, host: str) -> None:
    assert log_in(met_at(house, "play.example.org:443"), host, f"https://{host}")[0] in (400, 401)


@pytest.mark.parametrize(
    ("origin", "host", "given"),
    [
        ("https://elsewhere.example", "elsewhere.example:443", True),
        ("http://elsewhere.example", "Elsewhere.example:80", True),
        ("https://elsewhere.example:8443", "elsewhere.example:443", False),
        ("https://", "", False),
    ],
)
def test_a_page_is_its_own_whether_its_host_names_that_port_or_not(
    house: House, origin: str, host: str, given: bool
) -> None:
    at_home = "play.example.org"
    headers = {"Origin": origin, "Host": host}
    assert log_in(met_at(house, at_home), at_home, f"https://{at_home}", **headers) == (200, given)
