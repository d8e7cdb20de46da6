"""Whose request it is: only a trusted proxy is believed, in every writing, and one customer is counted as one."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.web.client_address import network_of, read_address
from tests.runtime.web.sample_app import SampleApp, build

PROXIES = ("127.0.0.0/8", "::1/128", "::ffff:192.168.0.0/112")


@pytest.fixture
def sample() -> SampleApp:
    """Return the app over the good samples."""
    return build(trusted_proxies=PROXIES)


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        pytest.param("192.0.2.7", None, "192.0.2.7", id="direct"),
        pytest.param("192.0.2.7", "203.0.113.9", "192.0.2.7", id="a stranger is not believed"),
        pytest.param("127.0.0.1", "203.0.113.9", "203.0.113.9", id="our proxy is"),
        pytest.param("::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9", id="our proxy on a socket for both"),
        pytest.param("::ffff:192.168.0.5", "203.0.113.9", "203.0.113.9", id="our proxies' network written as IPv6"),
        pytest.param("192.169.0.5", "203.0.113.9", "192.169.0.5", id="not beyond that network"),
        pytest.param("::1%lo", "203.0.113.9", "203.0.113.9", id="our proxy with a zone"),
        pytest.param("127.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9", id="what the client claims is not"),
        pytest.param("127.0.0.1", "1.1.1.1,203.0.113.9", "203.0.113.9", id="without a blank"),
        pytest.param("", "203.0.113.9", "203.0.113.9", id="a Unix socket is"),
        pytest.param("", None, "unknown", id="a Unix socket that names nobody"),
        pytest.param("127.0.0.1", "203.0.113.9:4711", "203.0.113.9", id="port"),
        pytest.param("127.0.0.1", "1.1.1.1:1, 203.0.113.9:4711", "203.0.113.9", id="port of the last"),
        pytest.param("127.0.0.1", "[2001:db8::1]:4711", "2001:db8::/64", id="IPv6 with a port"),
        pytest.param("127.0.0.1", "[2001:db8::1]", "2001:db8::/64", id="IPv6 in brackets"),
        pytest.param("127.0.0.1", '"[2001:db8::1]:4711"', "2001:db8::/64", id="IPv6 in quotes"),
        pytest.param("127.0.0.1", "[2001:db8::1%eth0]:4711", "2001:db8::/64", id="zone and port"),
        pytest.param("127.0.0.1", "fe80::1%eth0", "fe80::/64", id="zone"),
        pytest.param("127.0.0.1", "\t203.0.113.9 ", "203.0.113.9", id="blanks"),
        pytest.param("127.0.0.1", "203.0.113.9, ,", "203.0.113.9", id="empty elements"),
        pytest.param("127.0.0.1", "", "127.0.0.1", id="nothing"),
        pytest.param("127.0.0.1", " ,, ", "127.0.0.1", id="nothing but commas"),
        pytest.param("127.0.0.1", "nonsense", "127.0.0.1", id="nonsense is the proxy's own"),
        pytest.param("127.0.0.1", "203.0.113.9, unknown", "127.0.0.1", id="nor is what stands before it believed"),
        pytest.param("127.0.0.1", "203.0.113.300", "127.0.0.1", id="no address"),
        pytest.param("127.0.0.1", "unix:", "127.0.0.1", id="no address but a socket"),
        pytest.param("", "nonsense", "unknown", id="nonsense from a Unix socket"),
        pytest.param("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64", id="IPv6 by its network"),
        pytest.param("::ffff:192.0.2.7", None, "192.0.2.7", id="IPv4 in IPv6"),
        pytest.param("127.0.0.1", "[::ffff:203.0.113.9]:4711", "203.0.113.9", id="IPv4 in IPv6 with a port"),
    ],
)
def test_only_a_proxy_of_ours_is_believed_whose_request_it_is(
    sample: SampleApp, remote: str, forwarded: str | None, address: str
) -> None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    answer = sample.call("GET", "/api/greet?name=a", headers=headers, extras={"REMOTE_ADDR": remote})

    assert answer.json["address"] == address


def statuses(sample: SampleApp, forwarded: Sequence[str]) -> list[int]:
    """Send a request of each address through our proxy."""
    return [
        sample.call(
            "GET", "/api/notes/1", headers={"X-Forwarded-For": one}, extras={"REMOTE_ADDR": "127.0.0.1"}
        ).status_code
        for one in forwarded
    ]


def test_clients_behind_a_proxy_that_adds_ports_are_counted_apart(sample: SampleApp) -> None:
    assert statuses(sample, ["203.0.113.9:1", "203.0.113.9:2", "203.0.113.9:3"]) == [200, 200, 429]
    assert statuses(sample, ["203.0.113.10:1"]) == [200]


def test_the_addresses_of_one_network_are_counted_together(sample: SampleApp) -> None:
    one = ["2001:db8:5::c:1", "2001:DB8:0005:0:0:0:c:2", "2001:db8:5:0:1:2:3:4", "[2001:db8:5::c:3]:80"]
    assert statuses(sample, one) == [200, 200, 429, 429]
    assert statuses(sample, ["2001:db8:5:1::c:1"]) == [200]


GROUPS = st.lists(st.sampled_from([0, 0, 0, 1, 0xDB8, 0xFFFF]), min_size=8, max_size=8)


@given(GROUPS, GROUPS)
def test_the_network_is_the_first_four_groups_however_written(front: list[int], back: list[int]) -> None:
    groups = [*front[:4], *back[4:]]
    address = IPv6Address(b"".join(group.to_bytes(2, "big") for group in groups))
    if address.ipv4_mapped is not None:
        return
    written = [str(address), address.exploded, address.exploded.upper(), f"[{address}]:1", f"{address}%eth0"]
    found = [read_address(text) for text in written]

    assert {network_of(one) for one in found if one is not None} == {
        f"{IPv6Address(address.packed[:8] + bytes(8))}/64",
    }
    assert None not in found
