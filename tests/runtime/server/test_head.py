"""The fast path reads a strict subset of what gunicorn reads, and reads it alike: the same fields, the same end."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from gunicorn.http.wsgi import create
from hypothesis import given
from hypothesis import strategies as st

import taptrade
from runtime.server.head import FIELDS_MAX, HEAD_BYTES_MAX, PlainRequest, read_head
from runtime.server.origin import is_ordinary, origin_of
from tests.runtime.server.rig import get
from tests.runtime.server.shapes import ODD, PLAIN, SMUGGLING

CFG = Config()
SERVER = ("127.0.0.1", 8000)
PROXY = ("127.0.0.1", 5000)
STRANGER = ("192.0.2.7", 5000)
Taken = tuple[dict[str, Any], tuple[str, str], bytes, bytes, bool]
"""An environ, method and address, the body, what follows, and whether the connection is to be closed."""


class Wire:
    """A socket on which nothing happens."""

    def getsockname(self) -> tuple[str, int]:
        """Return the address."""
        return SERVER

    def send(self, data: bytes) -> None:
        """Lose what is sent."""


def read(data: bytes, address: tuple[str, int] = PROXY) -> PlainRequest | None:
    """Read a request our way."""
    wire: Any = Wire()
    origin = origin_of(CFG, wire, wire, address)
    return read_head(data, origin.environ, origin.schemes)


def read_by_gunicorn(data: bytes, address: tuple[str, int] = PROXY) -> tuple[dict[str, Any], bytes, bytes, bool]:
    """Read a request gunicorn's way: its environ, its body, what follows, whether the connection is to be closed."""
    unreader = IterUnreader([data])
    request = Request(CFG, unreader, address)
    environ = create(request, Wire(), address, SERVER, CFG)[1]
    body = request.body.read()
    return environ, body, unreader.take_buffered(), request.should_close()


def comparable(environ: dict[str, Any]) -> dict[str, Any]:
    """Return an environ without what each server has of its own."""
    own = {"wsgi.input", "wsgi.errors", "wsgi.early_hints", "wsgi.multithread", "gunicorn.socket"}
    return {key: value for key, value in environ.items() if key not in own}


def taken(data: bytes, address: tuple[str, int] = PROXY) -> Taken | None:
    """Return what our way makes of a request; None if it is not plain."""
    request = read(data, address)
    if request is None:
        return None
    end = request.body_start + request.length
    line = request.method, request.uri
    return comparable(request.environ), line, data[request.body_start : end], data[end:], request.closing


def taken_by_gunicorn(data: bytes, address: tuple[str, int] = PROXY) -> Taken:
    """Return what gunicorn makes of the same bytes."""
    environ, body, rest, closing = read_by_gunicorn(data, address)
    return comparable(environ), (environ["REQUEST_METHOD"], environ["RAW_URI"]), body, rest, closing


@pytest.mark.parametrize("data", [pytest.param(shape[1], id=shape[0]) for shape in PLAIN])
@pytest.mark.parametrize("address", [PROXY, STRANGER])
def test_plain_requests_are_read(data: bytes, address: tuple[str, int]) -> None:
    assert taken(data, address) == taken_by_gunicorn(data, address)
    assert taken(data + b"next", address) == taken_by_gunicorn(data + b"next", address)


@pytest.mark.parametrize("data", [pytest.param(shape[1], id=shape[0]) for shape in [*ODD, *SMUGGLING]])
def test_all_others_are_left_to_gunicorn(data: bytes) -> None:
    assert read(data) is None


@pytest.mark.parametrize("data", [pytest.param(shape[1], id=shape[0]) for shape in PLAIN])
def test_half_a_head_is_left_to_gunicorn(data: bytes) -> None:
    head_end = data.index(b"\r\n\r\n") + 4
    assert all(read(data[:end]) is None for end in range(head_end))
    assert read(data[:head_end]) is not None


def test_limits_are_kept_away_from() -> None:
    fitting = get("/" + "a" * (HEAD_BYTES_MAX - len(get("/")) + 4))
    assert fitting.index(b"\r\n\r\n") == HEAD_BYTES_MAX
    assert taken(fitting) == taken_by_gunicorn(fitting)
    assert read(get("/" + "a" * (HEAD_BYTES_MAX - len(get("/")) + 5))) is None
    many = get("/", *(f"{'a' * number}: 1" for number in range(1, 80)))
    assert taken(many) == taken_by_gunicorn(many)
    assert read(get("/", *(f"B{number}: 1" for number in range(FIELDS_MAX)))) is None


def test_a_stranger_is_not_believed_that_it_came_over_tls() -> None:
    data = get("/", "X-Forwarded-Proto: https")
    of_proxy, of_stranger = read(data, PROXY), read(data, STRANGER)
    assert of_proxy is not None
    assert of_stranger is not None
    assert of_proxy.environ["wsgi.url_scheme"] == "https"
    assert of_stranger.environ["wsgi.url_scheme"] == "http"


def test_made_up_names_do_not_pile_up() -> None:
    for number in range(3_000):
        made_up = get("/", f"X-{number}: 1")
        assert taken(made_up) == taken_by_gunicorn(made_up)
    known = get("/", "X-Real-IP: 1")
    assert taken(known) == taken_by_gunicorn(known)


def test_settings_that_only_gunicorn_can_follow_turn_the_fast_path_off() -> None:
    assert is_ordinary(Config(), {})
    assert not is_ordinary(Config(), {"SCRIPT_NAME": "/app"})
    for name, value in {"limit_request_line": 100, "accesslog": "-", "proxy_protocol": True, "certfile": "a"}.items():
        cfg = Config()
        cfg.set(name, value)
        assert not is_ordinary(cfg, {}), name


class AccessLog(Logger):  # type: ignore[misc]
    """A log of gunicorn's that would write each request down."""

    def access(self, *args: Any) -> None:
        """Write a request down."""


def test_a_log_of_each_request_turns_the_fast_path_off() -> None:
    cfg = Config()
    cfg.set("logger_class", AccessLog)
    assert not is_ordinary(cfg, {})


def test_the_settings_of_the_house_leave_the_fast_path_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path))
    cfg = Config()
    for name, value in runpy.run_path(str(Path(taptrade.__file__).with_name("gunicorn_settings.py"))).items():
        if name in cfg.settings:
            cfg.set(name, value)
    assert cfg.worker_class_str == "runtime.server.TapWorker"
    assert is_ordinary(cfg, {})


PIECES = st.sampled_from(
    [
        *("GET", "POST", "HEAD", "get", "/", "/a", "/a?b=c", "//a", "/%41", "*", "http://a/b", "HTTP/1.1", "HTTP/1.0"),
        *(" ", "  ", "\t", "\r\n", "\n", "\r", ":", ": ", " :", "\r\n\r\n", "\x00", "\xe9", ",", ";", "_", "-"),
        *("Host", "Host: a", "\r\nHost: a", "Content-Length", "\r\nContent-Length: 3", "\r\nContent-Length: 0", "3"),
        *("\r\nTransfer-Encoding: chunked", "\r\nConnection: close", "\r\nConnection: keep-alive", "close"),
        *("\r\nX-Forwarded-Proto: https", "\r\nExpect: 100-continue", "\r\nA: b", "\r\n A: b", "abc", "\r\nA_B: c"),
    ]
)


@given(st.lists(PIECES, max_size=8), st.lists(PIECES, max_size=4))
def test_whatever_is_taken_is_what_gunicorn_takes(pieces: list[str], rest: list[str]) -> None:
    text = "".join(["GET /a HTTP/1.1\r\nHost: a", *pieces, "\r\n\r\n", *rest])
    data = text.encode("latin-1")
    found = taken(data)
    assert found is None or found == taken_by_gunicorn(data)


@given(st.sampled_from([shape[1] for shape in [*PLAIN, *ODD, *SMUGGLING]]), st.data())
def test_a_request_with_a_change_is_what_gunicorn_takes(data: bytes, draw: st.DataObject) -> None:
    at = draw.draw(st.integers(0, len(data)))
    piece = draw.draw(st.one_of(PIECES.map(lambda text: text.encode("latin-1")), st.binary(max_size=3)))
    changed = data[:at] + piece + data[at + draw.draw(st.integers(0, 3)) :]
    found = taken(changed)
    assert found is None or found == taken_by_gunicorn(changed)
