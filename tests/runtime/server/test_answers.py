"""Both servers answer requests of every shape alike, byte by byte, but for the text of errors."""

from __future__ import annotations

import re

import pytest

from tests.runtime.server.rig import Server, comparable, get, statuses
from tests.runtime.server.shapes import ODD, PLAIN, PROBE, SMUGGLING

SHAPES = [*PLAIN, *ODD, *SMUGGLING]
every_shape = pytest.mark.parametrize(("data", "status"), [pytest.param(*shape[1:], id=shape[0]) for shape in SHAPES])

PAGE = re.compile(
    rb"HTTP/1.1 (\d+) [^\r]*\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: \d+\r\n\r\n"
    rb"<.*?</html>\n",
    re.DOTALL,
)
"""How gunicorn tells an error."""
PROBLEM = re.compile(
    rb"HTTP/1.1 (\d+) [^\r]*\r\nDate: \*\r\nConnection: close\r\nContent-Type: application/problem.json\r\n"
    rb"Content-Length: \d+\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Request-Id: \w+\r\n"
    rb"\r\n(\{.*?\})?",
)
"""How ours does."""


def told(answer: bytes) -> bytes:
    """Return an answer with nothing but the status in place of an error's text."""
    return PAGE.sub(rb"<\1>", PROBLEM.sub(rb"<\1>", comparable(answer)))


@every_shape
def test_a_request_alone_is_answered_as_gunicorn_does(ours: Server, theirs: Server, data: bytes, status: int) -> None:
    answer = ours.tell(data)

    assert told(answer) == told(theirs.tell(data))
    assert b"<html>" not in answer
    assert list(statuses(answer))[:1] == ([status] if status else [])


@every_shape
def test_a_request_before_another_is_answered_as_gunicorn_does(
    ours: Server, theirs: Server, data: bytes, status: int
) -> None:
    assert told(ours.tell(data + PROBE)) == told(theirs.tell(data + PROBE))


@pytest.mark.parametrize(
    "path",
    [
        *("/pieces", "/pieces?told", "/big", "/file", "/written", "/hints", "/replaced", "/untold", "/nothing"),
        *("/status?204%20No%20Content", "/status?304%20Not%20Modified", "/status?200", "/status?abc", "/status?"),
        *("/header?value", "/header?name", "/header?hop", "/header?type", "/header?space"),
        *("/length?4", "/length?6", "/length?9", "/length?-1", "/length?x"),
        *("/crash", "/crash?start", "/crash?late", "/crash?type", "/crash?silent", "/crash?twice", "/crash?timeout"),
        "/crash?oserror",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_answer_of_every_kind_is_sent_as_gunicorn_does(ours: Server, theirs: Server, path: str, method: str) -> None:
    data = get(path, method=method) + PROBE

    answer = ours.tell(data)

    assert told(answer) == told(theirs.tell(data))
    assert b"<html>" not in answer
    assert len(statuses(answer)) in {0, 1, 2, 3}


def test_an_app_that_exits_ends_nothing_but_its_request(ours: Server) -> None:
    assert statuses(ours.tell(get("/leave") + PROBE)) == [500]
    assert statuses(ours.tell(PROBE)) == [200]


def test_no_request_is_logged(ours: Server) -> None:
    before = ours.log.stat().st_size

    ours.tell(*[get("/echo")] * 20, PROBE)

    assert ours.log.stat().st_size == before
