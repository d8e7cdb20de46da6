"""The pages behind the edge: the files and headers that the API would send, without asking it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from functions.page import FOLDER, HEADERS
from runtime.web.static_files import PACKED, PACKED_BYTES_MIN, TYPES
from tests.nginx.answers import problem
from tests.nginx.stand_in import StandIn

FILES = sorted(path for path in FOLDER.rglob("*") if path.suffix in TYPES)
ADDRESSES = {"index.html": "/", "bet.html": "/bets/01ABC", "operate.html": "/operate", "docs.html": "/docs"}
SENT = {name.lower(): value for name, value in HEADERS.items()} | {
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
}


def addresses(path: Path) -> list[str]:
    """Return where a file is found."""
    own = ADDRESSES.get(path.name)
    return [f"/page/{path.relative_to(FOLDER).as_posix()}", *([own] if own else [])]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_comes_as_the_api_would_send_it(client: httpx.Client, stand_in: StandIn, path: Path) -> None:
    before = len(stand_in.requests)
    for address in addresses(path):
        answer = client.get(f"{address}?from=elsewhere")
        assert (answer.status_code, answer.content) == (200, path.read_bytes())
        assert answer.headers.get_list("content-type") == [TYPES[path.suffix]]
        assert {name: answer.headers.get_list(name) for name in SENT} == {name: [SENT[name]] for name in SENT}
        is_packed = path.suffix in PACKED and path.stat().st_size >= PACKED_BYTES_MIN
        assert answer.headers.get("content-encoding") == ("gzip" if is_packed else None)
        assert answer.headers.get("vary") == ("Accept-Encoding" if is_packed else None)
        assert answer.headers["x-request-id"]
        again = client.get(address, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["content-security-policy"] == SENT["content-security-policy"]
    assert len(stand_in.requests) == before


def test_a_page_is_not_packed_for_who_does_not_take_it(client: httpx.Client) -> None:
    answer = client.get("/page/colors.css", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert answer.content == (FOLDER / "colors.css").read_bytes()


@pytest.mark.parametrize("address", ["/page/nothing.js", "/page/game/nothing.css"])
def test_a_file_that_is_not_there_is_a_problem(client: httpx.Client, address: str) -> None:
    problem(client.get(address), 404, "NOT_FOUND")


def test_a_page_is_only_read(client: httpx.Client) -> None:
    problem(client.post("/", content=b"{}"), 405, "METHOD_NOT_ALLOWED")
    head = client.head("/")
    assert (head.status_code, head.content, head.headers["content-type"]) == (200, b"", TYPES[".html"])


@pytest.mark.parametrize("address", ["/page/../nginx.conf", "/page/%2e%2e/nginx.conf", "/page/notes.txt", "/bets/1/2"])
def test_all_else_is_the_apis(client: httpx.Client, stand_in: StandIn, address: str) -> None:
    before = len(stand_in.requests)
    client.get(httpx.URL(str(client.base_url).rstrip("/") + address))
    assert len(stand_in.requests) == before + 1
