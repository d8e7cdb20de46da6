"""The edge: what it passes on, what it answers by itself, and that its errors look like the API's."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.nginx.answers import begun_bet, connected, problem
from tests.nginx.conftest import nobodys_port, running_edge
from tests.nginx.stand_in import StandIn
from tests.waiting import wait_until

OUTSIDER = "203.0.113.7"


def test_passes_on_the_request_with_its_id_its_host_and_one_address(client: httpx.Client) -> None:
    answer = client.post(
        "/api/bets",
        content=b"a" * 65_536,
        headers={
            "X-Request-Id": "mine-1",
            "X-Forwarded-For": f"10.9.9.9, {OUTSIDER}",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "evil",
            "X-Request-Start": "t=1.000",
            "Forwarded": "for=1.1.1.1;proto=http",
        },
    )

    told = answer.json()
    got = told["headers"]
    assert abs(float(got["x-request-start"].removeprefix("t=")) - time.time()) < 5
    assert (answer.status_code, told["bytes"]) == (200, 65_536)
    assert got["host"] == urlsplit(str(client.base_url)).netloc
    assert (got["x-request-id"], got["x-forwarded-for"], got["x-forwarded-proto"]) == ("mine-1", OUTSIDER, "https")
    assert not {"forwarded", "x-forwarded-host"} & set(got)
    assert answer.headers.get_list("x-request-id") == ["mine-1"]
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
    assert answer.headers.get_list("cache-control") == ["no-store"]
    assert answer.headers.get_list("content-security-policy") == ["default-src 'none'; frame-ancestors 'none'"]


@pytest.mark.parametrize("unfit", ['a"b', "x" * 65, "", "--", "a b"], ids=["quote", "long", "empty", "dashes", "blank"])
def test_an_id_unfit_for_logs_gives_way_to_a_new_one(client: httpx.Client, unfit: str) -> None:
    given = client.get("/api/time", headers={"X-Request-Id": unfit}).json()["headers"]["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", given)


def test_keeps_connections_to_the_api(client: httpx.Client) -> None:
    got = client.get("/api/time").json()["headers"]
    assert "connection" not in got


def test_passes_on_the_apis_own_errors(client: httpx.Client) -> None:
    answer = client.get("/api/nothing")
    assert (answer.status_code, answer.json()["from"]) == (404, "api")


def test_a_page_may_run_its_own_scripts(client: httpx.Client) -> None:
    [policy] = client.get("/page").headers.get_list("content-security-policy")
    assert "script-src 'self' 'unsafe-inline'" in policy
    assert "frame-ancestors 'none'" in policy


def test_a_body_too_large_is_refused(client: httpx.Client, stand_in: StandIn) -> None:
    def pieces() -> Any:
        yield b"a" * 65_536
        yield b"a"

    before = len(stand_in.requests)
    problem(client.post("/api/bets", content=b"a" * 65_537), 413, "BODY_TOO_LARGE")
    problem(client.post("/api/bets", content=pieces()), 413, "BODY_TOO_LARGE")
    assert len(stand_in.requests) == before


def test_a_broken_off_answer_is_a_problem_and_the_post_is_not_repeated(client: httpx.Client, stand_in: StandIn) -> None:
    client.get("/api/time")  # leaves a kept connection, which nginx would be tempted to blame

    body = problem(client.post("/drop", content=b"{}"), 502, "UNAVAILABLE", retryable=True)

    assert stand_in.count("POST", "/drop") == 1
    assert json.dumps(body).count("Idempotency-Key") == 1


def test_silence_is_a_problem_and_the_post_is_not_repeated(client: httpx.Client, stand_in: StandIn) -> None:
    problem(client.post("/hang", content=b"{}"), 504, "UNAVAILABLE", retryable=True)
    assert stand_in.count("POST", "/hang") == 1


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/_edge"])
def test_the_operators_pages_are_answered_inside_only(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == (204 if path == "/_edge" else 200)
    assert client.get(path, headers={"X-Forwarded-For": "192.168.1.5"}).status_code in (200, 204)
    problem(client.get(path, headers={"X-Forwarded-For": OUTSIDER}), 403, "FORBIDDEN")
    # What a client wrote in front of the address that the proxy saw counts for nothing.
    problem(client.get(path, headers={"X-Forwarded-For": f"127.0.0.1, {OUTSIDER}"}), 403, "FORBIDDEN")


def test_the_problem_page_is_not_for_visitors(client: httpx.Client) -> None:
    assert problem(client.get("/_problem"), 404, "NOT_FOUND")["detail"] == "There is no such thing."


def test_a_flood_of_one_address_is_refused_and_others_are_not(client: httpx.Client) -> None:
    flood = [client.get("/api/time", headers={"X-Forwarded-For": "198.51.100.1"}) for _ in range(10)]
    refused = [answer for answer in flood if answer.status_code != 200]

    assert flood[0].status_code == 200
    problem(refused[0], 429, "RATE_LIMITED", retryable=True)
    assert client.get("/api/time", headers={"X-Forwarded-For": "198.51.100.2"}).status_code == 200
    assert client.get("/api/time").status_code == 200


@contextmanager
def held_bets(edge: str, stand_in: StandIn, number: int) -> Iterator[None]:
    """Have so many bets at the API, each from an address of its own, within the block."""
    stand_in.go_on.clear()
    before = stand_in.count("POST", "/api/bets")

    def hold(last: int) -> None:
        headers = {"X-Forwarded-For": f"198.51.100.{200 + last}", "X-Hold": "1"}
        httpx.post(f"{edge}/api/bets", json={}, headers=headers)

    threads = [Thread(target=hold, args=(last,)) for last in range(number)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: stand_in.count("POST", "/api/bets") == before + number, what="the bets to be held")
        yield
    finally:
        stand_in.go_on.set()
        for thread in threads:
            thread.join()


def test_bets_beyond_the_places_are_refused_before_they_reach_the_api(
    edge: str, client: httpx.Client, stand_in: StandIn
) -> None:
    with held_bets(edge, stand_in, 2):
        before = len(stand_in.requests)
        refused = client.post("/api/bets", json={})
        assert problem(refused, 503, "OVERLOADED", retryable=True)["detail"] == "Too many bets are waiting."
        assert refused.headers["retry-after"] == "1"
        assert len(stand_in.requests) == before
        assert client.get("/api/time").status_code == 200
        assert client.post("/api/withdrawals", json={}).status_code == 200
    assert client.post("/api/bets", json={}).status_code == 200


@pytest.mark.parametrize(
    ("dripping", "player"),
    [
        pytest.param([f"2001:db8:{number:x}::1" for number in range(20)], "203.0.113.50", id="strangers"),
        pytest.param([f"2001:db8:77:12{number:02x}::1" for number in range(20)], "2001:db8:77:12ff::1", id="a /56"),
        pytest.param([f"192.0.2.{number}" for number in range(60)], "192.0.2.200", id="a /24"),
        pytest.param(["198.51.100.99"] * 3, "198.51.100.99", id="one address"),
    ],
)
def test_bodies_that_drip_in_keep_nobody_out(edge: str, client: httpx.Client, dripping: list[str], player: str) -> None:
    with ExitStack() as stack:
        for forwarded in dripping:
            stack.enter_context(begun_bet(edge, forwarded))
        assert client.post("/api/bets", json={}, headers={"X-Forwarded-For": player}).status_code == 200


def test_a_body_that_is_no_bets_is_the_apis_to_wait_for(edge: str, stand_in: StandIn) -> None:
    """nginx does not bound the time that a body takes in all, the API does."""
    before = stand_in.count("POST", "/api/withdrawals")
    with connected(edge) as slow:
        slow.sendall(b"POST /api/withdrawals HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{")
        wait_until(lambda: stand_in.count("POST", "/api/withdrawals") == before + 1, what="the head at the API")
        slow.sendall(b"}")
        assert slow.recv(100).startswith(b"HTTP/1.1 200 ")


def test_events_arrive_one_by_one_and_uncompressed(client: httpx.Client, stand_in: StandIn) -> None:
    stand_in.go_on.clear()
    with client.stream("GET", "/api/stream", headers={"Accept-Encoding": "gzip"}) as answer:
        lines = answer.iter_lines()
        assert [next(lines) for _ in range(3)] == ["event: hello", "data: 1", ""]
        stand_in.go_on.set()  # only now does the second event exist
        assert [next(lines) for _ in range(3)] == ["event: price", "data: 2", ""]
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in answer.headers


def test_a_stream_outlasts_the_wait_for_other_answers(client: httpx.Client, stand_in: StandIn) -> None:
    stand_in.go_on.clear()
    with client.stream("GET", "/api/stream") as answer:
        lines = answer.iter_lines()
        next(lines)
        # Another request waits in vain for longer than any answer may take, and ends.
        problem(client.get("/hang"), 504, "UNAVAILABLE", retryable=True)
        stand_in.go_on.set()
        assert "data: 2" in list(lines)


def test_an_api_that_is_away_is_a_problem(tmp_path: Path) -> None:
    with (
        nobodys_port() as port,
        running_edge(tmp_path, port) as url,
        httpx.Client(base_url=url) as client,
    ):
        problem(client.post("/api/bets", json={}), 502, "UNAVAILABLE", retryable=True)
        problem(client.get("/api/grid?secret=1"), 502, "UNAVAILABLE", retryable=True)
        assert client.get("/_edge").status_code == 204
    lines = [json.loads(line) for line in (tmp_path / "access.log").read_text(encoding="utf-8").splitlines()]
    assert [(line["request"], line["status"]) for line in lines] == [
        ("POST /api/bets", "502"),
        ("GET /api/grid", "502"),
    ]
