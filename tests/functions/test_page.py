"""The pages as files: headers, packing, what a browser has already, and that no address leads out of the folder."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from falcon import testing

from functions import page
from runtime.clock import ManualClock
from runtime.function_files import DECLARATION
from runtime.metrics.table import Metrics
from runtime.rate_limits import Unlimited
from runtime.web.app import create_app
from runtime.web.static_files import StaticFiles, takes_gzip

SCRIPT = "// Says hello.\n" + "console.log('hello');\n" * 100
PACKED = {"Accept-Encoding": "br, gzip"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of pages, beside a file that is nobody's business."""
    inside = tmp_path / "page"
    (inside / "game").mkdir(parents=True)
    (inside / "index.html").write_text("<!DOCTYPE html><title>taptrade</title>", encoding="utf-8")
    (inside / "game" / "board.js").write_text(SCRIPT, encoding="utf-8")
    (inside / "notes.txt").write_text("not for players", encoding="utf-8")
    (tmp_path / "secret.js").write_text("secret", encoding="utf-8")
    (inside / "link.js").symlink_to(tmp_path / "secret.js")
    (inside / "out").symlink_to(tmp_path)
    return inside


@pytest.fixture
def client(folder: Path, monkeypatch: pytest.MonkeyPatch) -> testing.TestClient:
    """Return a client of the pages' functions over that folder."""
    monkeypatch.setattr(page, "FILES", StaticFiles(folder, page.HEADERS))
    app = create_app(
        [getattr(one, DECLARATION) for one in (page.home, page.bet, page.operate, page.file)],
        parts=None,
        authenticate=lambda _: None,
        limiter=Unlimited({}),
        quotas={},
        guards={},
        clock=ManualClock(0),
        metrics=Metrics("api"),
    )
    return testing.TestClient(app)


def test_a_page_is_confined_to_its_own_files(client: testing.TestClient) -> None:
    answer = client.simulate_get("/", query_string="utm_source=somewhere")
    assert answer.status_code == 200
    assert answer.text.startswith("<!DOCTYPE html>")
    told = answer.headers
    assert told["content-type"] == "text/html; charset=utf-8"
    assert told["content-security-policy"].startswith("default-src 'none'; script-src 'self'; ")
    assert "unsafe" not in told["content-security-policy"]
    assert told["cache-control"] == "no-cache"
    assert told["referrer-policy"] == "no-referrer"
    assert told["x-content-type-options"] == "nosniff"


def test_a_long_text_is_packed_for_whoever_takes_it(client: testing.TestClient) -> None:
    packed = client.simulate_get("/page/game/board.js", headers=PACKED)
    plain = client.simulate_get("/page/game/board.js", headers={"Accept-Encoding": "gzip;q=0"})
    assert gzip.decompress(packed.content).decode() == plain.text == SCRIPT
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["etag"] == plain.headers["etag"]
    assert int(packed.headers["content-length"]) < len(SCRIPT) / 5


def test_head_tells_of_the_file_and_brings_nothing(client: testing.TestClient) -> None:
    whole, head = client.simulate_get("/page/game/board.js"), client.simulate_head("/page/game/board.js")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert head.headers["etag"] == whole.headers["etag"]


@pytest.mark.parametrize("form", ["{}", '"other", {}', "*"])
def test_what_a_browser_has_is_not_sent_again(client: testing.TestClient, form: str) -> None:
    etag = client.simulate_get("/").headers["etag"]
    again = client.simulate_get("/", headers={"If-None-Match": form.format(etag)})
    assert (again.status_code, again.content) == (304, b"")
    assert (again.headers["etag"], again.headers["cache-control"]) == (etag, "no-cache")
    assert client.simulate_get("/", headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_changed_file_and_a_new_one_are_seen_and_one_that_is_gone_is_missed(
    client: testing.TestClient, folder: Path
) -> None:
    before = client.simulate_get("/")
    home = folder / "index.html"
    home.write_text("<!DOCTYPE html><title>changed</title>", encoding="utf-8")
    os.utime(home, ns=(1, 1))  # two writes may have one time
    after = client.simulate_get("/", headers={"If-None-Match": before.headers["etag"]})
    assert (after.status_code, "changed" in after.text) == (200, True)
    assert client.simulate_get("/operate").status_code == 404
    (folder / "operate.html").write_text("<!DOCTYPE html><title>operate</title>", encoding="utf-8")
    assert client.simulate_get("/operate").status_code == 200
    (folder / "game" / "board.js").unlink()
    assert client.simulate_get("/page/game/board.js").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/page/../secret.js",
        "/page/%2e%2e/secret.js",
        "/page/game/../../secret.js",
        "/page//etc/passwd",
        "/page/link.js",
        "/page/out/secret.js",
        "/page/notes.txt",
        "/page/game",
        "/page/",
        "/page/nothing.js",
        "/page/%2Fetc%2Fnothing.json",
        "/page/nul%00.js",
        f"/page/{'long' * 100}.js",
        "/bets/01",
        "/bets/01/more",
    ],
)
def test_nothing_else_is_there(client: testing.TestClient, path: str) -> None:
    answer = client.simulate_get(path)
    assert (answer.status_code, answer.json["code"]) == (404, "NOT_FOUND")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("field", "takes"),
    [
        ("", False),
        ("gzip", True),
        ("br;q=1, GZIP;q=0.5", True),
        ("gzip;q=0, *", False),
        ("*", True),
        ("*;q=0", False),
        ("identity", False),
        ("gzip;q=much", False),
        ("gzip;level=9", True),
    ],
)
def test_only_who_takes_gzip_gets_it(field: str, takes: bool) -> None:
    assert takes_gzip(field) is takes


def test_the_pages_are_those_of_the_project() -> None:
    assert page.FILES.find("index.html") is not None
