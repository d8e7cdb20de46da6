"""Several APIs behind one edge: they take turns, and one that is gone or not ready is left out."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.nginx.conftest import NGINX, ROOT, nobodys_port, running_edge
from tests.nginx.stand_in import StandIn
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def two() -> Iterator[tuple[StandIn, StandIn]]:
    with StandIn() as one, StandIn() as other:
        yield one, other


@contextmanager
def watched(folder: Path, *apis: StandIn) -> Iterator[None]:
    """Run `nginx/watch` beside the edge of a folder."""
    assert NGINX
    found = os.environ | {"PATH": f"{Path(NGINX).parent}:{os.environ['PATH']}"}
    words = [str(ROOT / "nginx" / "watch"), ",".join(f"127.0.0.1:{api.port}" for api in apis), str(folder)]
    process = subprocess.Popen(words, env=found, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait(10)


def asked(client: httpx.Client, *apis: StandIn) -> list[bool]:
    """Tell of each API whether some requests came to it."""
    for api in apis:
        api.requests.clear()
    for _ in range(6):
        assert client.get("/api/grid").status_code == 200
    return [api.count("GET", "/api/grid") > 0 for api in apis]


def test_several_apis_take_turns(two: tuple[StandIn, StandIn], tmp_path: Path) -> None:
    one, other = two
    with running_edge(tmp_path / "edge", (one.port, other.port), ()) as url, httpx.Client(base_url=url) as client:
        assert asked(client, one, other) == [True, True]


def test_what_finds_one_of_them_gone_goes_to_the_next_even_a_bet(tmp_path: Path) -> None:
    with (
        nobodys_port() as gone,
        StandIn() as other,
        running_edge(tmp_path / "edge", (gone, other.port), ()) as url,
        httpx.Client(base_url=url) as client,
    ):
        for path in ("/api/bets", "/api/deposits") * 3:
            assert client.post(path, content=b"{}").status_code == 200
        assert other.count("POST", "/api/bets") == other.count("POST", "/api/deposits") == 3


def test_a_bet_that_one_of_them_has_taken_is_sent_to_no_other(two: tuple[StandIn, StandIn], tmp_path: Path) -> None:
    one, other = two
    with running_edge(tmp_path / "edge", (one.port, other.port), ()) as url, httpx.Client(base_url=url) as client:
        assert client.post("/drop", content=b"{}").status_code == 502
    assert one.count("POST", "/drop") + other.count("POST", "/drop") == 1


def test_one_that_is_not_ready_is_left_out_until_it_is(two: tuple[StandIn, StandIn], tmp_path: Path) -> None:
    one, other = two
    edge = tmp_path / "edge"
    with (
        running_edge(edge, (one.port, other.port), ()) as url,
        httpx.Client(base_url=url) as client,
        watched(edge, one, other),
    ):
        one.is_ready = False
        wait_until(lambda: asked(client, one, other) == [False, True], 30, every_s=0.2, what="the one that is ready")
        other.is_ready = False
        # Nobody is: whoever is asked says why.
        wait_until(lambda: asked(client, one, other) == [True, True], 30, every_s=0.2, what="both of them")
        one.is_ready = True
        wait_until(lambda: asked(client, one, other) == [True, False], 30, every_s=0.2, what="the other one")
        other.is_ready = True
        wait_until(lambda: asked(client, one, other) == [True, True], 30, every_s=0.2, what="both of them again")


def test_an_edge_with_one_api_has_nothing_to_leave_out() -> None:
    done = subprocess.run([ROOT / "nginx" / "watch", "127.0.0.1:8000"], check=False, timeout=10)
    assert done.returncode == 0


@pytest.mark.parametrize("given", ["", ",", "a:1,", ",a:1", "a:1,,b:1", "a:1 b:1", "a:1;"])
def test_a_list_that_is_none_is_refused(given: str) -> None:
    done = subprocess.run([ROOT / "nginx" / "api", given], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is wanted" in done.stderr
