"""Pages of other origins at the edge: those that a setting names may read what nginx answers by itself."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from runtime.web.cors import EXPOSED
from tests.nginx.answers import problem
from tests.nginx.conftest import ROOT, nobodys_port, running_edge
from tests.nginx.stand_in import StandIn

APP, LOCAL, EVIL = "https://app.example", "http://127.0.0.1:5173", "https://evil.example"
NAMED = f"https://App.example:443, {LOCAL}"
WANTED = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
ALLOWED = "access-control-allow-origin"


@pytest.fixture(scope="module")
def edge(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run nginx with pages of other origins named; its URL."""
    with running_edge(tmp_path_factory.mktemp("edge"), stand_in.port, TAPTRADE_CORS_ORIGINS=NAMED) as url:
        yield url


@pytest.fixture
def named(edge: str) -> Iterator[httpx.Client]:
    """Return a client whose requests come from a page that may read."""
    with httpx.Client(base_url=edge, timeout=10, headers={"Origin": APP}) as opened:
        yield opened


def origin_headers(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control")}


def may_read(answer: httpx.Response, origin: str = APP) -> None:
    """Check that a page of an origin can read an answer, and what limits it."""
    assert answer.headers.get_list(ALLOWED) == [origin]
    assert answer.headers.get_list("access-control-expose-headers") == [", ".join(EXPOSED)]
    assert "Origin" in answer.headers.get_list("vary")
    assert "access-control-allow-credentials" not in answer.headers


def flooded(client: httpx.Client, address: str) -> httpx.Response:
    """Return the first refusal of a flood."""
    flood = (client.get("/api/time", headers={"X-Forwarded-For": address}) for _ in range(20))
    return next(answer for answer in flood if answer.status_code != 200)


def test_a_named_page_reads_what_nginx_refuses(named: httpx.Client) -> None:
    refusals = [
        (named.post("/api/bets", content=b"a" * 65_537), 413, "BODY_TOO_LARGE", False),
        (named.post("/drop", content=b"{}"), 502, "UNAVAILABLE", True),
        (named.get("/hang"), 504, "UNAVAILABLE", True),
        (named.get("/page/nothing.js"), 404, "NOT_FOUND", False),
        (flooded(named, "198.51.100.1"), 429, "RATE_LIMITED", True),
    ]
    for answer, status, code, retryable in refusals:
        problem(answer, status, code, retryable=retryable)
        may_read(answer)
    may_read(named.get("/page/colors.css"))


def test_a_named_page_reads_that_there_is_no_connection_for_another_bet(stand_in: StandIn, tmp_path: Path) -> None:
    none = (("upstreams.conf", "max_conns=500;", "down;"),)
    # A server that is down leaves the same upstream without one to connect to.
    with running_edge(tmp_path, stand_in.port, none, TAPTRADE_CORS_ORIGINS=NAMED) as url:
        answer = httpx.post(f"{url}/api/bets", json={}, headers={"Origin": LOCAL})
    problem(answer, 503, "OVERLOADED", retryable=True)
    may_read(answer, LOCAL)


def test_a_named_page_reads_that_the_api_is_away_and_is_told_so_after_its_preflight(tmp_path: Path) -> None:
    with nobodys_port() as port, running_edge(tmp_path, port, TAPTRADE_CORS_ORIGINS=NAMED) as url:
        preflight = httpx.options(f"{url}/api/bets", headers={"Origin": APP} | WANTED)
        answer = httpx.post(f"{url}/api/bets", json={}, headers={"Origin": APP})
    assert preflight.status_code == 204
    problem(answer, 502, "UNAVAILABLE", retryable=True)
    may_read(answer)


def test_preflights_of_a_named_page_are_answered_under_the_limit_too(named: httpx.Client, stand_in: StandIn) -> None:
    address = {"X-Forwarded-For": "198.51.100.2"}
    flooded(named, "198.51.100.2")
    before = len(stand_in.requests)
    answers = [named.options("/api/bets", headers=WANTED | address) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {204}
    assert len(stand_in.requests) == before
    may_read(answers[-1])
    assert (
        origin_headers(answers[-1]).items()
        >= {
            "access-control-allow-methods": "DELETE, GET, HEAD, POST, PUT",
            "access-control-allow-headers": "authorization,content-type",
            "access-control-max-age": "86400",
        }.items()
    )
    problem(named.post("/api/bets", json={}, headers=address), 429, "RATE_LIMITED", retryable=True)


def test_what_the_api_says_of_origins_is_not_said_twice(named: httpx.Client) -> None:
    assert origin_headers(named.get("/api/time")) == {}  # the stand-in says nothing
    plain = named.options("/api/time")  # no preflight: nothing is asked for
    assert (plain.status_code, origin_headers(plain)) == (200, {})


@pytest.mark.parametrize(
    "origin", [EVIL, "null", f"{APP}.evil.example", "http://app.example", f"{APP}:8443", f"x{APP}", "*", ""]
)
def test_no_other_page_reads_anything(edge: str, stand_in: StandIn, origin: str) -> None:
    with httpx.Client(base_url=edge, headers={"Origin": origin} if origin else {}) as other:
        refused = other.post("/api/bets", content=b"a" * 65_537)
        before = len(stand_in.requests)
        preflight = other.options("/api/bets", headers=WANTED)
    assert (refused.status_code, origin_headers(refused), refused.headers["vary"]) == (413, {}, "Origin")
    assert (origin_headers(preflight), len(stand_in.requests)) == ({}, before + 1)


def test_nothing_is_said_of_origins_unless_they_are_named(stand_in: StandIn, tmp_path: Path) -> None:
    with running_edge(tmp_path, stand_in.port) as url, httpx.Client(base_url=url, headers={"Origin": APP}) as client:
        answer = client.post("/api/bets", content=b"a" * 65_537)
        before = len(stand_in.requests)
        assert client.options("/api/bets", headers=WANTED).status_code == 200
    assert (answer.status_code, origin_headers(answer), "vary" in answer.headers) == (413, {}, False)
    assert len(stand_in.requests) == before + 1


@pytest.mark.parametrize(
    "text",
    [
        *("*", "null", "app.example", "https://", "https://app.example/", "https://user@app.example"),
        *("https://bücher.example", "https://*.example", 'https://a.example";', "https://a$b", "https://http://a"),
    ],
)
def test_what_is_no_origin_as_browsers_send_it_is_refused(text: str) -> None:
    done = subprocess.run(
        [ROOT / "nginx" / "origins"], env={"TAPTRADE_CORS_ORIGINS": text}, capture_output=True, check=False
    )
    assert (done.returncode, b"such as https://app.example" in done.stderr) == (2, True)
