"""Whom the edge counts as one: the API's own rule, for every writing of an address and for each of the limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv6Address
from itertools import product
from pathlib import Path

import httpx
import pytest

from runtime.web.client_address import network_of
from tests.nginx.answers import problem
from tests.nginx.conftest import running_edge
from tests.nginx.stand_in import StandIn

TOLD = (
    (
        "nginx.conf",
        "location = /_edge {",
        'location = /_network { return 200 "$network|$neighbours|$region"; }\n        location = /_edge {',
    ),
    ("clients.conf", "rate=200r/s", "rate=100000r/s"),
)
ONE_NETWORK = [f"2001:db8:5::c:{number:x}" for number in range(1, 5)] + ["2001:DB8:0005:0:1:2:3:4", "2001:db8:5:0:1::"]
OTHER_NETWORK = "2001:db8:5:1::c:1"


@pytest.fixture(scope="module")
def edge(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run an edge that tells what it counts an address as; its URL."""
    with running_edge(tmp_path_factory.mktemp("telling"), stand_in.port, TOLD) as url:
        yield url


def network(client: httpx.Client, forwarded: str) -> str:
    """Return what the edge counts an address as."""
    answer = client.get("/_network", headers={"X-Forwarded-For": forwarded})
    assert answer.status_code == 200
    return answer.text.partition("|")[0]


def wider(client: httpx.Client, forwarded: str) -> list[str]:
    """Return the wider networks that an address is counted with too."""
    return client.get("/_network", headers={"X-Forwarded-For": forwarded}).text.split("|")[1:]


def test_wherever_the_zeros_stand_the_api_counts_alike(client: httpx.Client) -> None:
    theirs: dict[str, str] = {}
    ours: dict[str, str] = {}
    for groups in product((0, 0xDB8), repeat=8):
        address = IPv6Address(b"".join(group.to_bytes(2, "big") for group in groups))
        edge, api = network(client, str(address)), network_of(address)
        assert theirs.setdefault(api, edge) == edge, f"two keys for {api}"
        assert ours.setdefault(edge, api) == api, f"one key for {api} and {ours[edge]}"
    assert len(ours) == 16


@pytest.mark.parametrize(
    "forwarded",
    [
        *("203.0.113.9", "203.0.113.9:4711", "203.0.113.9, ,", "1.1.1.1, 203.0.113.9"),
        *("::ffff:203.0.113.9", "::FFFF:cb00:7109", "[::ffff:203.0.113.9]:4711", "0:0:0:0:0:ffff:203.0.113.9"),
    ],
)
def test_an_ipv4_address_is_counted_as_itself(client: httpx.Client, forwarded: str) -> None:
    assert network(client, forwarded) == "203.0.113.9"


@pytest.mark.parametrize("forwarded", ["2001:db8::1", "[2001:db8::1]:4711", "2001:0DB8:0:0:0:0:0:1"])
def test_an_ipv6_address_is_counted_as_its_network(client: httpx.Client, forwarded: str) -> None:
    assert network(client, forwarded) == "2001:db8:0:0"


@pytest.mark.parametrize(
    "unreadable", ["nonsense", "203.0.113.9, nonsense", "203.0.113.9:99999", "unix:", "[2001:db8::1]", "fe80::1%eth0"]
)
def test_what_is_no_address_is_counted_as_the_proxy_but_is_none_of_us(client: httpx.Client, unreadable: str) -> None:
    assert network(client, unreadable) == "127.0.0.1"
    for path in ("/metrics", "/healthz", "/_edge"):
        problem(client.get(path, headers={"X-Forwarded-For": unreadable}), 403, "FORBIDDEN")


@pytest.mark.parametrize(
    "forwarded", ["", ",", "127.0.0.1", "127.0.0.1:4711", "203.0.113.9, 10.0.0.1,127.0.0.1", "::1"]
)
def test_who_asks_through_a_proxy_on_this_machine_is_one_of_us_if_it_says_so(
    client: httpx.Client, forwarded: str
) -> None:
    inside = "203.0.113.9" not in forwarded
    assert client.get("/healthz", headers={"X-Forwarded-For": forwarded}).status_code == (200 if inside else 403)


def test_the_requests_of_one_network_are_limited_together(stand_in: StandIn, tmp_path: Path) -> None:
    with running_edge(tmp_path, stand_in.port) as url, httpx.Client(base_url=url) as client:
        flood = [client.get("/api/time", headers={"X-Forwarded-For": one}).status_code for one in ONE_NETWORK * 3]
        other = client.get("/api/time", headers={"X-Forwarded-For": OTHER_NETWORK}).status_code
    assert flood[:5] == [200] * 5
    assert flood.count(429) > 8
    assert other == 200


def test_the_bets_of_one_network_are_limited_together(stand_in: StandIn, tmp_path: Path) -> None:
    with running_edge(tmp_path, stand_in.port) as url, httpx.Client(base_url=url) as client:

        def bet(forwarded: str) -> int:
            return client.post("/api/bets", json={}, headers={"X-Forwarded-For": forwarded}).status_code

        flood = [bet(forwarded) for forwarded in ONE_NETWORK * 3]
        assert flood[:5] == [200] * 5
        assert flood.count(429) > 8
        assert bet(OTHER_NETWORK) == 200


def test_the_connections_of_one_network_are_limited_together(stand_in: StandIn, tmp_path: Path) -> None:
    few = (*TOLD, ("nginx.conf", "limit_conn connections 400;", "limit_conn connections 2;"))
    stand_in.go_on.clear()
    with running_edge(tmp_path, stand_in.port, few) as url, ExitStack() as stack:
        clients = [stack.enter_context(httpx.Client(base_url=url)) for _ in range(4)]
        answers = [
            stack.enter_context(client.stream("GET", "/api/stream", headers={"X-Forwarded-For": one}))
            for client, one in zip(clients, ONE_NETWORK, strict=False)
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
        assert network(clients[3], OTHER_NETWORK) == "2001:db8:5:1"
        stand_in.go_on.set()


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("2001:db8:5:1234::1", ["2001:db8:5:12/56", "2001:db8:5/48"]),
        ("2001:db8:5:12ff::1", ["2001:db8:5:12/56", "2001:db8:5/48"]),
        ("2001:db8:5:f00::1", ["2001:db8:5:f/56", "2001:db8:5/48"]),
        ("2001:db8:5:ff::1", ["2001:db8:5:0/56", "2001:db8:5/48"]),
        ("2001:db8:5::1", ["2001:db8:5:0/56", "2001:db8:5/48"]),
        ("2001:db8::1", ["2001:db8:0:0/56", "2001:db8:0/48"]),
        ("203.0.113.9", ["", "203.0.113/24"]),
        ("::ffff:203.0.113.9", ["", "203.0.113/24"]),
    ],
)
def test_an_address_is_counted_with_its_neighbours_too(
    client: httpx.Client, forwarded: str, expected: list[str]
) -> None:
    assert wider(client, forwarded) == expected


@pytest.mark.parametrize(
    ("ours", "few", "forwarded"),
    [
        (
            "limit_conn connections_of_neighbours 800;",
            "limit_conn connections_of_neighbours 2;",
            "2001:db8:5:12%02x::1",
        ),
        ("limit_conn connections_of_region 1600;", "limit_conn connections_of_region 2;", "2001:db8:5:%02x12::1"),
        ("limit_conn connections_of_region 1600;", "limit_conn connections_of_region 2;", "203.0.113.%d"),
    ],
)
def test_the_connections_of_neighbours_are_limited_together(
    stand_in: StandIn, tmp_path: Path, ours: str, few: str, forwarded: str
) -> None:
    stand_in.go_on.clear()
    with running_edge(tmp_path, stand_in.port, (*TOLD, ("nginx.conf", ours, few))) as url, ExitStack() as stack:
        clients = [stack.enter_context(httpx.Client(base_url=url)) for _ in range(4)]
        answers = [
            stack.enter_context(client.stream("GET", "/api/stream", headers={"X-Forwarded-For": forwarded % number}))
            for number, client in enumerate(clients, start=1)
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
        assert network(clients[3], "2001:db9::1") == "2001:db9:0:0"
        stand_in.go_on.set()
