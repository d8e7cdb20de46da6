"""A worker that has answered enough makes room for the next at once, whoever is still connected."""

from __future__ import annotations

from pathlib import Path

from tests.runtime.server.rig import OURS, get, read_all, read_body, read_until, serving, statuses
from tests.waiting import wait_until


def test_a_worker_is_replaced_after_its_last_request(tmp_path: Path) -> None:
    with serving(tmp_path, OURS, "--max-requests", "3", "--graceful-timeout", "20") as server:
        with server.connect() as idle, server.connect() as stream, server.connect() as last:
            idle.sendall(get("/pid"))  # the second, after the one that found the server ready
            worker = read_body(idle)
            stream.sendall(get("/events?quiet"))
            answer = read_until(stream, b"data: 1\n\n\r\n")
            assert read_all(idle) == b""
            assert (answer + read_all(stream)).endswith(b"data: 1\n\n\r\n0\r\n\r\n")
            last.sendall(get("/pid"))
            assert statuses(read_all(last)) in ([], [200])
        wait_until(lambda: server.ask("/pid") != worker, 20, what="the next worker")
