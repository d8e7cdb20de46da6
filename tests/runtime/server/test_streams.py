"""Hub go out chunk by chunk, end with their client, and are no reason to stay when the server stops."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.runtime.server.offered import offered
from tests.runtime.server.rig import OURS, PATIENCE_S, Server, get, read_all, read_until, serving, statuses
from tests.runtime.server.shapes import PROBE
from tests.waiting import wait_until

HASTY = "tests.runtime.server.hasty.HastyWorker"


def test_each_chunk_is_sent_at_once(server: Server) -> None:
    with server.connect() as client:
        client.sendall(get("/events?quiet"))
        answer = read_until(client, b"data: 1\n\n\r\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"Transfer-Encoding: chunked" in head
        assert b"Content-Type: text/event-stream" in head
        assert body == b"9\r\ndata: 1\n\n\r\n"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_stream_is_closed_when_its_client_leaves(server: Server, version: str) -> None:
    with server.connect() as client:
        client.sendall(get("/events?one").replace(b"HTTP/1.1", b"HTTP/" + version.encode()))
        read_until(client, b"data: 3\n\n")
        assert server.ask("/streams?one") == b"1"
    wait_until(lambda: server.ask("/streams?one") == b"0", what="the stream's end")


def test_many_streams_are_fed_side_by_side(server: Server) -> None:
    clients = [server.connect() for _ in range(50)]
    for client in clients:
        client.sendall(get("/events?many"))
    for client in clients:
        read_until(client, b"data: 5\n\n")
        client.close()
    assert wait_until(lambda: server.ask("/streams?many") == b"0", what="the streams' end")


def test_what_others_send_is_whole_and_in_order(tmp_path: Path) -> None:
    with serving(tmp_path, OURS) as server, server.connect() as client:
        client.sendall(get("/offers?50"))
        body = read_until(client, b"\r\n0\r\n\r\n").partition(b"\r\n\r\n")[2]
        chunks = [offered(number) for number in range(50)]
        assert body == b"".join([b"%X\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks]) + b"0\r\n\r\n"
        # Only on our own way: what gunicorn answers is gunicorn's alone to send.
        assert server.ask("/sink") == b"True"
        assert server.tell(get("/sink").replace(b"HTTP/1.1", b"HTTP/1.0")).endswith(b"False")


def test_a_stream_that_is_left_is_whole_and_its_connection_goes_on(tmp_path: Path) -> None:
    with serving(tmp_path, OURS) as server, server.connect() as client:
        for _ in range(2):
            client.sendall(get("/left?50"))
            body = read_until(client, b"\r\n0\r\n\r\n").partition(b"\r\n\r\n")[2]
            chunks = [b"data: it has left\n\n", *(offered(number) for number in range(1, 50))]
            assert body == b"".join([b"%X\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks]) + b"0\r\n\r\n"
        client.sendall(get("/echo"))
        assert read_until(client, b"}").startswith(b"HTTP/1.1 200")


def test_a_stream_that_is_left_ends_when_its_client_has_gone_or_takes_nothing(tmp_path: Path) -> None:
    with serving(tmp_path, HASTY) as server, ExitStack() as stack:
        gone, stuck = (stack.enter_context(server.connect()) for _ in range(2))
        gone.sendall(get("/left?1000000&gone"))
        stuck.sendall(get("/left?1000000&stuck"))
        for client in (gone, stuck):
            read_until(client, b"it has left\n\n\r\n")
        gone.close()
        wait_until(lambda: server.ask("/streams?gone") == b"0", what="the end of what nobody reads")
        wait_until(lambda: server.ask("/streams?stuck") == b"0", PATIENCE_S, what="the end of what is not taken")
        assert statuses(server.tell(get("/echo"))) == [200], "others are served"
    assert "Traceback" not in server.log.read_text()


def test_a_stop_ends_all_in_good_order(folder: Path, tmp_path: Path) -> None:
    begun, go_on = tmp_path / "begun", tmp_path / "go_on"
    with serving(tmp_path, OURS, "--graceful-timeout", "20") as server, ExitStack() as stack:
        idle, new, busy, quiet, live, late, left = (stack.enter_context(server.connect()) for _ in range(7))
        idle.sendall(get("/echo"))
        read_until(idle, b"}")
        quiet.sendall(get("/events?quiet"))
        live.sendall(get("/events"))
        left.sendall(get("/left?1&quiet"))
        read_until(left, b"it has left\n\n\r\n")
        read_until(quiet, b"data: 1\n\n\r\n")
        read_until(live, b"data: 1\n\n\r\n")
        late.sendall(get("/first_bytes", "Content-Length: 4", method="POST"))
        busy.sendall(get(f"/wait?{begun},{go_on}") + PROBE)
        wait_until(begun.exists)

        server.process.send_signal(signal.SIGTERM)

        assert (read_all(idle), read_all(new)) == (b"", b"")
        assert read_all(quiet) == b"0\r\n\r\n", "the stream ends as one that is complete"
        assert read_all(left) == b"0\r\n\r\n", "so does one that had been left"
        assert read_all(live).endswith(b"\n\n\r\n0\r\n\r\n")
        late.sendall(b"late")
        assert read_all(late).endswith(b"late")
        # What runs is not disturbed. It is waited for, and nothing after it.
        assert server.process.poll() is None
        go_on.touch()
        answer = read_all(busy)
        assert answer.endswith(b"waited")
        assert answer.count(b"Connection: close") == 1
        server.process.wait(PATIENCE_S)
        assert "graceful timeout" not in server.log.read_text()


def test_who_asks_while_the_worker_stops_is_answered_and_let_go(tmp_path: Path) -> None:
    begun, go_on = tmp_path / "begun", tmp_path / "go_on"
    with serving(tmp_path, OURS) as server, ExitStack() as stack:
        blocking, asking = (stack.enter_context(server.connect()) for _ in range(2))
        asking.sendall(get("/echo"))
        read_until(asking, b"}")
        worker = int(server.ask("/pid"))
        blocking.sendall(get(f"/block?{begun},{go_on}"))
        wait_until(begun.exists)
        os.kill(worker, signal.SIGTERM)
        asking.sendall(get("/echo?last") + get("/echo?after"))
        go_on.touch()
        answer = read_all(asking)
        assert statuses(answer) == [200]
        assert b"Connection: close" in answer
        assert b'"last"' in answer


def test_what_does_not_end_is_cut_off_in_time(tmp_path: Path) -> None:
    begun, go_on = tmp_path / "begun", tmp_path / "go_on"
    with serving(tmp_path, OURS, "--graceful-timeout", "1") as server, server.connect() as busy:
        busy.sendall(get(f"/wait?{begun},{go_on}"))
        wait_until(begun.exists)
        server.process.send_signal(signal.SIGTERM)
        assert statuses(read_all(busy)) == []
        server.process.wait(PATIENCE_S)
