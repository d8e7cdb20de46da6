"""Hosts as browsers show them: each expectation is what `new URL(...).host` of Node.js says of the same text."""

from __future__ import annotations

import pytest

from runtime.hosts import shown_host, without_default_port


@pytest.mark.parametrize(
    ("text", "host"),
    [
        pytest.param("play.example.org", "play.example.org", id="as it is"),
        pytest.param("Play.Example.ORG", "play.example.org", id="capitals"),
        pytest.param("play.example.org:443", "play.example.org", id="port of https"),
        pytest.param("play.example.org:80", "play.example.org", id="port of http"),
        pytest.param("play.example.org:8443", "play.example.org:8443", id="port"),
        pytest.param("localhost:08000", "localhost:8000", id="port with a zero in front"),
        pytest.param("my_host:8000", "my_host:8000", id="underscore"),
        pytest.param("127.0.0.1:8000", "127.0.0.1:8000", id="IPv4"),
        pytest.param("[::1]:8000", "[::1]:8000", id="IPv6"),
        pytest.param("[0:0:0:0:0:0:0:1]", "[::1]", id="IPv6 in full"),
        pytest.param("[2001:DB8::A]:443", "[2001:db8::a]", id="IPv6 in capitals, port of https"),
        pytest.param("bücher.example", "xn--bcher-kva.example", id="international"),
        pytest.param("BÜCHER.example:8000", "xn--bcher-kva.example:8000", id="international in capitals"),
        pytest.param("straße.example", "xn--strae-oqa.example", id="what IDNA 2003 wrote otherwise"),
        pytest.param("bücher。example", "xn--bcher-kva.example", id="ideographic full stop"),
        pytest.param("xn--bcher-kva.example", "xn--bcher-kva.example", id="punycode"),
    ],
)
def test_a_host_is_read_as_browsers_show_it(text: str, host: str) -> None:
    assert shown_host(text) == host
    assert shown_host(host) == host


def test_the_dot_at_the_end_goes_although_a_browser_keeps_it() -> None:
    """Who writes it means the same host, and players do not."""
    assert shown_host("play.example.org.") == "play.example.org"
    assert shown_host("play.example.org.:443") == "play.example.org"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "must be a host", id="nothing"),
        pytest.param("https://Play.example.org", "no scheme.*here play.example.org$", id="scheme"),
        pytest.param("https://bücher.example:443/play", "here xn--bcher-kva.example$", id="URL"),
        pytest.param("play.example.org/", "no path.*here play.example.org$", id="slash"),
        pytest.param("wss://play.example.org", "no scheme", id="scheme of no page"),
        pytest.param("https:///", "no scheme", id="scheme alone"),
        pytest.param("https://a:99999/", "99999 is not between", id="URL with a port that is none"),
        pytest.param("*.example.org", "no wildcard", id="wildcard"),
        pytest.param("*", "no wildcard", id="anything"),
        pytest.param("me@play.example.org", "must be a host", id="user"),
        pytest.param("play.example.org?x", "must be a host", id="query"),
        pytest.param("play example", "must be a host", id="blank"),
        pytest.param("play%2eexample", "must be a host", id="escape"),
        pytest.param("play.example.org:", "must be a host", id="colon"),
        pytest.param("play.example.org:http", "must be a host", id="port by name"),
        pytest.param("play.example.org:0", "the port 0", id="port 0"),
        pytest.param("play.example.org:65536", "the port 65536", id="port too large"),
        pytest.param("::1", r"\[::1\]:8000", id="IPv6 without brackets"),
        pytest.param("[::1", "must be a host", id="half a bracket"),
        pytest.param("[1:2]", "no IPv6 address", id="no IPv6"),
        pytest.param("[fe80::1%eth0]", "must be a host", id="zone"),
        pytest.param("127.1", "no IPv4 address", id="IPv4 in short"),
        pytest.param("0x7f000001", "no IPv4 address", id="IPv4 as a number"),
        pytest.param("256.0.0.1", "no IPv4 address", id="no IPv4"),
        pytest.param("a..example", "is no host", id="empty part"),
        pytest.param("." * 2, "is no host", id="dots"),
        pytest.param("a" * 64 + ".example", "is no host", id="long part"),
        pytest.param("a." * 127 + "example", "is no host", id="long name"),
        pytest.param("☃.example", "punycode", id="what browsers take and IDNA 2008 does not"),
    ],
)
def test_others_are_refused_with_what_is_meant(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        shown_host(text)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Tap.Example:443", "tap.example"),
        ("tap.example:80", "tap.example"),
        ("tap.example:8080", "tap.example:8080"),
        ("tap.example", "tap.example"),
        ("[::1]:443", "[::1]"),
        ("[::443]", "[::443]"),
        ("", ""),
        (":443", ""),
    ],
)
def test_a_port_that_browsers_do_not_show_goes(written: str, shown: str) -> None:
    assert without_default_port(written) == shown
