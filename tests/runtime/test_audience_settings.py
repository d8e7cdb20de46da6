"""Where a system is met: lists of domains and chains, the main one first, each refused by name when wrong."""

from __future__ import annotations

import pytest

from runtime.settings import SettingsError, load


def test_without_a_setting_there_is_one_domain_and_one_chain() -> None:
    settings = load({"TAPTRADE_PORT": "8123"})
    assert (settings.domains, settings.chain_ids) == (("127.0.0.1:8123",), (1,))
    assert (settings.domain, settings.chain_id) == ("127.0.0.1:8123", 1)


@pytest.mark.parametrize("port", ["80", "443"])
def test_the_domain_by_default_has_no_port_that_browsers_do_not_show(port: str) -> None:
    assert load({"TAPTRADE_PORT": port}).domains == ("127.0.0.1",)


def test_the_first_of_a_list_is_the_main_one() -> None:
    settings = load({"TAPTRADE_DOMAIN": "Tap.Example, [::1]:8000,localhost", "TAPTRADE_CHAIN_ID": "137, 1"})
    assert settings.domains == ("tap.example", "[::1]:8000", "localhost")
    assert settings.chain_ids == (137, 1)
    assert (settings.domain, settings.chain_id) == ("tap.example", 137)


@pytest.mark.parametrize(
    ("variable", "text", "reason"),
    [
        pytest.param("TAPTRADE_DOMAIN", "https://tap.example", "no scheme", id="scheme"),
        pytest.param("TAPTRADE_DOMAIN", "tap.example/play", "no path", id="path"),
        pytest.param("TAPTRADE_DOMAIN", "tap.example,", "must be a host", id="empty part"),
        pytest.param("TAPTRADE_DOMAIN", "me@tap.example", "must be a host", id="user info"),
        pytest.param("TAPTRADE_DOMAIN", "tap.example,,www.tap.example", "must be a host", id="empty part amid"),
        pytest.param("TAPTRADE_DOMAIN", "tap.example,TAP.example", "different", id="domain twice"),
        pytest.param("TAPTRADE_DOMAIN", "tap.example,tap.example:443", "different", id="domain twice for browsers"),
        pytest.param("TAPTRADE_CHAIN_ID", "1,1", "different", id="chain twice"),
        pytest.param("TAPTRADE_CHAIN_ID", "1,two", "whole number", id="no number"),
        pytest.param("TAPTRADE_CHAIN_ID", "1,0", "between", id="zero"),
        pytest.param("TAPTRADE_CHAIN_ID", "1,2,3,4,5,6,7,8,9", "at most 8", id="too many"),
    ],
)
def test_a_wrong_list_is_refused_by_name(variable: str, text: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=rf"{variable}=.*{reason}"):
        load({variable: text})


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("redis://somewhere:99999", id="port too large"),
        pytest.param("redis://somewhere:port", id="port by name"),
        pytest.param("redis://somewhere:0", id="port 0"),
        pytest.param("redis://:hush/hush@somewhere:6379/0", id="slash in the password"),
        pytest.param("redis://somewhere/live", id="database by name"),
        pytest.param("redis://[::1", id="half a bracket"),
        pytest.param("REDIS://hush@somewhere", id="capitals"),
        pytest.param("somewhere:6379", id="no scheme"),
    ],
)
def test_the_url_of_a_redis_is_refused_by_name_and_not_shown(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^TAPTRADE_REDIS_URL=\*\*\*: must ") as caught:
        load({"TAPTRADE_REDIS_URL": url})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://somewhere",
        "redis://somewhere:6380/15",
        "rediss://me:p%2Fw@[::1]:6379/?ssl_cert_reqs=none",
        "unix:///a/b?db=2",
    ],
)
def test_the_url_of_a_redis_is_taken_as_it_is(url: str) -> None:
    assert load({"TAPTRADE_REDIS_URL": url}).redis_url == url
