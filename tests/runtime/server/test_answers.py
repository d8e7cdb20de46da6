"""Both servers give the same answers, byte by byte, to requests of every shape."""

from __future__ import annotations

import pytest

from tests.runtime.server.rig import Server, comparable, get, statuses
from tests.runtime.server.shapes import ODD, PLAIN, PROBE, SMUGGLING

SHAPES = [*PLAIN, *ODD, *SMUGGLING]
every_shape = pytest.mark.parametrize(("data", "status"), [pytest.param(*shape[1:], id=shape[0]) for shape in SHAPES])


@every_shape
def test_a_request_alone_is_answered_as_gunicorn_does(ours: Server, theirs: Server, data: bytes, status: int) -> None:
    answer = comparable(ours.tell(data))

    assert answer == comparable(theirs.tell(data))
    assert list(statuses(answer))[:1] == ([status] if status else [])


@every_shape
def test_a_request_before_another_is_answered_as_gunicorn_does(
    ours: Server, theirs: Server, data: bytes, status: int
) -> None:
    assert comparable(ours.tell(data + PROBE)) == comparable(theirs.tell(data + PROBE))


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

    answer = comparable(ours.tell(data))

    assert answer == comparable(theirs.tell(data))
    assert len(statuses(answer)) in {0, 1, 2, 3}


def test_an_app_that_exits_ends_nothing_but_its_request(ours: Server) -> None:
    assert statuses(ours.tell(get("/leave") + PROBE)) == [500]
    assert statuses(ours.tell(PROBE)) == [200]


def test_no_request_is_logged(ours: Server) -> None:
    before = ours.log.stat().st_size

    ours.tell(*[get("/echo")] * 20, PROBE)

    assert ours.log.stat().st_size == before
