"""Addresses of both kinds: what a host means, how it is written with a port, and how it is reached."""

from __future__ import annotations

import pytest

from runtime.settings import SettingsError, load
from taptrade import listening


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104
        ("192.0.2.1", "http://192.0.2.1:8000"),
        ("localhost", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("[::1]", "http://[::1]:8000"),
        ("::", "http://[::1]:8000"),
        ("[2001:db8::1]", "http://[2001:db8::1]:8000"),
    ],
)
def test_an_api_is_reached_where_it_listens(host: str, url: str) -> None:
    assert listening.url_of(load({"TAPTRADE_HOST": host}).host, 8000) == url


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "http://127.0.0.1", "[::1]:8000", "fe80::1%lo", "a b", "[localhost]"]
)
def test_what_is_no_address_is_refused(host: str) -> None:
    with pytest.raises(SettingsError, match=r"TAPTRADE_HOST=.*: must be an IP address or a host name, without port"):
        load({"TAPTRADE_HOST": host})


@pytest.mark.parametrize("host", ["nobody.invalid", "a..b", "x" * 64])
def test_a_host_that_nobody_knows_is_refused_by_the_name_of_its_setting(host: str) -> None:
    with pytest.raises(SettingsError, match=rf"TAPTRADE_DASHBOARD_HOST={host}: no address is known"):
        listening.address_of(host, "TAPTRADE_DASHBOARD_HOST")
