"""What the server answers by itself: one problem, one line in the log, and the end, whichever way a request took."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.error_codes import CODES
from tests.runtime.server.rig import OURS, Server, get, read_all, serving, statuses
from tests.runtime.server.shapes import BAD_CHUNKS, ODD, PROBE, SMUGGLING, chunked

REFUSED = [shape for shape in (*ODD, *SMUGGLING) if shape[2] >= 400]
CODE_OF = {414: "URI_TOO_LONG", 431: "HEAD_TOO_LARGE", 500: "INTERNAL_ERROR"}
every_bad_body = pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in BAD_CHUNKS])


@pytest.fixture(scope="session")
def slow_way(folder: Path) -> Iterator[Server]:
    """Return our server with a setting that only gunicorn's own way can follow."""
    inner = folder / "slow_way"
    inner.mkdir()
    with serving(inner, OURS, "--limit-request-line", "4093") as server:
        assert "every request takes gunicorn's own way" in server.log.read_text()
        yield server


def problem(answer: bytes, status: int) -> dict[str, Any]:
    """Check that there is one answer, a problem, and return its body."""
    assert list(statuses(answer)) == [status], answer
    head, _, body = answer.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert fields["Content-Type"] == "application/problem+json"
    assert fields["Connection"] == "close"
    assert fields["Cache-Control"] == "no-store"
    assert int(fields["Content-Length"]) == len(body)
    told: dict[str, Any] = json.loads(body)
    assert (told["type"], told["status"], told["retryable"]) == ("about:blank", status, False)
    assert told["code"] == CODE_OF.get(status, "INVALID_REQUEST")
    assert told["code"] in CODES
    assert told["title"] == head.decode().split("\r\n")[0].split(" ", 2)[2]
    assert told["detail"].endswith(".")
    assert fields["X-Request-Id"] == told["request_id"]
    assert re.fullmatch("[0-9a-f]{16}", told["request_id"])
    return told


def lines_so_far(server: Server) -> int:
    """Return how many lines there are once those of requests before are written: an answer may come before its line."""
    assert statuses(server.tell(PROBE)) == [200]
    return len(lines(server, 0))


def lines(server: Server, before: int) -> list[str]:
    """Return what was logged behind a place."""
    return server.log.read_text().splitlines()[before:]


@pytest.mark.parametrize(("data", "status"), [pytest.param(*shape[1:], id=shape[0]) for shape in REFUSED])
def test_a_request_that_cannot_be_read_is_a_problem(ours: Server, data: bytes, status: int) -> None:
    before = lines_so_far(ours)

    told = problem(ours.tell(data + PROBE), status)

    [line] = lines(ours, before)
    assert line.startswith(("request refused: ", "body refused: "))
    assert told["code"] != "INVALID_REQUEST" or line.partition(": ")[2] in told["detail"]


@pytest.mark.parametrize(("data", "status"), [pytest.param(*shape[1:], id=shape[0]) for shape in REFUSED[:8]])
def test_so_it_is_where_every_request_takes_gunicorns_way(slow_way: Server, data: bytes, status: int) -> None:
    problem(slow_way.tell(data + PROBE), status)


def test_it_is_told_what_was_wrong(ours: Server) -> None:
    told = problem(ours.tell(get("/echo", "Content-Length : 3", method="POST") + b"abc"), 400)
    assert told["detail"] == "The request cannot be read: Invalid HTTP header name: 'Content-Length '."
    assert "longer" not in problem(ours.tell(get("/" + "a" * 5_000)), 414)["detail"]


def test_a_long_head_is_told_in_short(ours: Server) -> None:
    assert len(problem(ours.tell(get("/echo", "a" * 7_000)), 400)["detail"]) < 300


@pytest.mark.parametrize("path", ["/crash?early", "/crash?start", "/crash?timeout", "/header?value", "/leave"])
def test_a_function_that_breaks_off_is_a_problem(ours: Server, path: str) -> None:
    before = lines_so_far(ours)

    told = problem(ours.tell(get(path) + PROBE), 500)

    assert told["detail"] == CODES["INTERNAL_ERROR"].meaning
    first, *traceback = lines(ours, before)
    assert first == f"error handling GET {path}"
    assert traceback[0] == "Traceback (most recent call last):"


def test_the_problem_of_a_head_has_no_body(ours: Server) -> None:
    head, _, body = ours.tell(get("/crash?early", method="HEAD")).partition(b"\r\n\r\n")
    assert b"Content-Type: application/problem+json" in head
    assert body == b""


@every_bad_body
def test_a_body_of_bad_chunks_is_a_problem(ours: Server, body: bytes) -> None:
    """The function of this test has no answer to it; those of the framework have their own."""
    told = problem(ours.tell(chunked("/echo", body)), 400)
    assert "chunk" in told["detail"]


@every_bad_body
def test_bad_chunks_that_nobody_reads_get_no_second_answer(ours: Server, body: bytes) -> None:
    before = lines_so_far(ours)

    answer = ours.tell(chunked("/unread", body))

    assert list(statuses(answer)) == [200]
    [line] = lines(ours, before)
    assert line.startswith("body refused: ")


def test_chunks_that_break_off_are_not_waited_for_without_end(hasty: Server) -> None:
    with hasty.connect() as client:
        client.sendall(chunked("/echo", b"3\nabc\n0\n\n"))
        problem(read_all(client), 400)


def test_a_client_that_leaves_amid_its_body_is_no_crash(ours: Server) -> None:
    before = lines_so_far(ours)
    for data in (chunked("/echo", b"9\r\nabc"), get("/echo", "Content-Length: 9", method="POST") + b"abc"):
        with ours.connect() as client:
            client.sendall(data)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # leave with a reset
    assert statuses(ours.tell(PROBE)) == [200]
    assert not [line for line in lines(ours, before) if "Traceback" in line]
