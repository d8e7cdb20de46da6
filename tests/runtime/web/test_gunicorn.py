"""The app behind a real gunicorn with gevent: bodies, streams, keep-alive, and what the log says of a crash."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.runtime.server.rig import get, read_all
from tests.runtime.server.shapes import BAD_CHUNKS
from tests.runtime.web.sample_app import BEARER
from tests.waiting import wait_until

ROOT = Path(__file__).parents[3]
TAP = {"cell": "a", "amount": 1}


@dataclass
class Server:
    """A running gunicorn: a client of it, and its log."""

    client: httpx.Client
    log: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run gunicorn on a free port."""
    log = tmp_path_factory.mktemp("gunicorn") / "log"
    command = [
        *(sys.executable, "-m", "gunicorn", "tests.runtime.web.sample_wsgi:app", "-k", "runtime.server.TapWorker"),
        *("-b", "127.0.0.1:0", "--no-control-socket", "--graceful-timeout", "2"),
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=out, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
    found = wait_until(
        lambda: re.search(r"Listening at: (http://[\d.:]+)", log.read_text()), timeout_s=20, what="gunicorn"
    )
    assert found is not None
    with httpx.Client(base_url=found[1], timeout=10) as client:
        yield Server(client, log)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0, log.read_text()


def test_requests_of_one_connection_are_kept_apart(server: Server) -> None:
    taps = [server.client.post("/api/taps", json=TAP, headers=BEARER) for _ in range(3)]
    refused = server.client.post("/api/taps", content=b"a" * 70_000, headers=BEARER | {"Content-Type": "text/plain"})
    after = server.client.post("/api/taps", json=TAP, headers=BEARER)

    assert [tap.status_code for tap in [*taps, refused, after]] == [201, 201, 201, 415, 201]
    assert len({tap.headers["x-request-id"] for tap in [*taps, after]}) == 4


def test_a_chunked_body_is_read(server: Server) -> None:
    def pieces(data: bytes) -> Iterator[bytes]:
        yield data[:5]
        yield data[5:]

    headers = BEARER | {"Content-Type": "application/json"}

    fits = server.client.post("/api/taps", content=pieces(json.dumps(TAP).encode()), headers=headers)
    over = server.client.post("/api/taps", content=pieces(b"a" * 65_537), headers=headers)

    assert fits.status_code == 201
    assert (over.status_code, over.json()["code"]) == (413, "BODY_TOO_LARGE")


def test_a_stream_flows_and_is_closed_when_the_client_goes(server: Server) -> None:
    with server.client.stream("GET", "/api/ticker") as answer:
        events = answer.iter_lines()
        assert [next(events) for _ in range(3)] == ["data: 1", "", "data: 2"]
        assert server.client.get("/api/ticker/open").json() == {"count": 1}
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["x-accel-buffering"] == "no"
        assert answer.headers["transfer-encoding"] == "chunked"
        assert "content-length" not in answer.headers

    wait_until(lambda: server.client.get("/api/ticker/open").json() == {"count": 0}, what="the stream's end")


def test_a_crash_is_in_the_log_under_its_id(server: Server) -> None:
    answer = server.client.get("/api/trouble/crash", headers={"X-Request-Id": "crash-7"})

    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_ERROR")
    line = next(text for text in server.log.read_text().splitlines() if '"crash-7"' in text)
    assert "ZeroDivisionError" in json.loads(line)["traceback"]
    assert "abcdef" not in line


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in BAD_CHUNKS])
def test_bad_chunks_are_the_clients_fault_and_one_line_in_the_log(server: Server, body: bytes) -> None:
    before = len(server.log.read_text().splitlines())
    fields = ("Authorization: Bearer good", "Content-Type: application/json", "Transfer-Encoding: chunked")
    port = server.client.base_url.port or 0
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(get("/api/taps", *fields, method="POST") + body)
        client.shutdown(socket.SHUT_WR)
        head, _, told = read_all(client).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"\r\nConnection: close\r\n" in head
    assert b"\r\ncontent-type: application/problem+json\r\n" in head
    problem = json.loads(told)
    assert (problem["code"], problem["field"]) == ("INVALID_REQUEST", "$")
    [line] = [json.loads(text) for text in server.log.read_text().splitlines()[before:]]
    assert line["message"] == f"body refused: {problem['detail']}"
    assert (line["level"], line["request_id"], line["address"]) == ("WARNING", problem["request_id"], "127.0.0.1")


def test_a_head_that_cannot_be_read_is_one_line_in_the_log_under_an_id_of_its_own(server: Server) -> None:
    before = len(server.log.read_text().splitlines())
    named, long = {"X-Request-Id": "named-1"}, {"X-Long": "a" * 9_000}

    first = server.client.get("/api/greet?name=a", headers=named)
    refused = server.client.get("/api/greet?name=a", headers=long)

    assert first.json()["request_id"] == "named-1"
    assert (refused.status_code, refused.json()["code"]) == (431, "HEAD_TOO_LARGE")
    [line] = [json.loads(text) for text in server.log.read_text().splitlines()[before:]]
    assert line["request_id"] == refused.json()["request_id"] == refused.headers["X-Request-Id"] != "named-1"
    assert line["status"] == 431
