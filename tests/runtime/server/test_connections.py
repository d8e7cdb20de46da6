"""What happens on one connection: packets, pipelines, clients that are slow, leave, or want more than their share."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.runtime.server.rig import Server, comparable, get, post, read_all, read_until, serving, statuses
from tests.runtime.server.shapes import PROBE
from tests.waiting import wait_until

BET = post("/echo", b'{"cell_id": "1_2_3", "amount": 500}', "Content-Type: application/json")
CHUNKED = get("/echo", "Transfer-Encoding: chunked", method="POST") + b"3\r\nabc\r\n0\r\n\r\n"


@pytest.fixture(scope="module")
def hasty_gunicorn(folder: Path) -> Iterator[Server]:
    """Return gunicorn's with as little as it can have."""
    inner = folder / "hasty"
    inner.mkdir()
    with serving(inner, "gevent", "--keep-alive", "1") as server:
        yield server


@pytest.fixture(params=["hasty", "hasty_gunicorn"])
def impatient(request: pytest.FixtureRequest) -> Server:
    """Return one after the other."""
    found: Server = request.getfixturevalue(request.param)
    return found


def test_what_is_under_way_goes_on_before_the_network_is_looked_at_again(ours: Server) -> None:
    """Else a turn of the loop would begin thousands of requests and end a few."""
    assert ours.ask("/woken") == b"200"


@pytest.mark.parametrize("data", [BET, CHUNKED, get("/echo?x=1")], ids=["bet", "chunked", "get"])
def test_a_request_that_comes_byte_by_byte_is_read_as_if_in_one(server: Server, data: bytes) -> None:
    whole = comparable(server.tell(data, PROBE))

    assert statuses(whole) == [200, 200]
    assert comparable(server.tell(*(data[at : at + 1] for at in range(len(data))), PROBE)) == whole


@pytest.mark.parametrize("at", [1, 20, len(BET) - 40, len(BET) - 35, len(BET) - 34, len(BET) - 1])
def test_a_request_in_two_packets_is_read_as_if_in_one(server: Server, at: int) -> None:
    whole = comparable(server.tell(BET + PROBE))

    with server.connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(BET[:at])
        # The first packet has arrived once another connection, opened after it, has its answer.
        server.ask("/count")
        client.sendall(BET[at:] + PROBE)
        assert comparable(read_all(client)) == whole


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    requests = [
        get(f"/echo?{number}") if number % 3 else post(f"/echo?{number}", b"x" * number) for number in range(99)
    ]
    requests[50] = CHUNKED.replace(b"/echo", b"/echo?50")
    answer = server.tell(b"".join(requests))

    assert statuses(answer) == [200] * 99
    places = [answer.index(b'"QUERY_STRING": "%d"' % number) for number in range(99)]
    assert places == sorted(places)


def test_nothing_is_answered_behind_a_close(server: Server) -> None:
    assert statuses(server.tell(get("/echo", "Connection: close") + get("/echo"))) == [200]


def test_a_client_that_keeps_its_connection_is_answered_each_time(server: Server) -> None:
    with server.connect() as client:
        for number in range(5):
            client.sendall(get(f"/status?200%20{number}"))
            assert b"HTTP/1.1 200 %d\r\n" % number in read_until(client, b"body")


def test_expect_is_answered_before_the_body(server: Server) -> None:
    with server.connect() as client:
        client.sendall(get("/echo", "Content-Length: 3", "Expect: 100-continue", method="POST"))
        assert read_until(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc" + PROBE)
        assert statuses(read_all(client)) == [200, 200]


def test_an_answer_may_come_before_the_body(server: Server) -> None:
    with server.connect() as client:
        client.sendall(get("/unread", "Content-Length: 3", method="POST"))
        assert b"200 OK" in read_until(client, b"not read")
        client.sendall(b"abc" + PROBE)
        assert statuses(read_all(client)) == [200]


def test_a_large_body_is_left_unread(server: Server) -> None:
    assert statuses(server.tell(post("/unread", b"x" * 3_000_000) + PROBE)) == [200, 200]


def test_a_body_that_ends_early_is_read_as_far_as_it_goes(ours: Server, theirs: Server) -> None:
    data = get("/echo", "Content-Length: 10", method="POST") + b"abc"
    answer = comparable(ours.tell(data))

    assert b'"body": "abc"' in answer
    assert answer == comparable(theirs.tell(data))


def test_a_large_answer_to_a_slow_reader_holds_up_nobody(server: Server) -> None:
    with server.connect() as client:
        client.sendall(get("/big", "Connection: close"))
        read_until(client, b"0123456789abcdef")
        assert statuses(server.tell(PROBE)) == [200], "others are served meanwhile"
        assert len(read_all(client)) > 7_000_000


def test_clients_that_leave_are_forgotten(server: Server) -> None:
    before = server.log.read_text()
    for data in (b"", b"GE", get("/big"), post("/echo", b"abc")[:-1], get("/pieces")):
        with server.connect() as client:
            client.sendall(data)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # leave with a reset
    assert statuses(server.tell(PROBE)) == [200]
    # The server is shared: a chunked body that another test broke off may be noticed only now. None is sent here.
    told = server.log.read_text().removeprefix(before).splitlines()
    assert [line for line in told if not line.startswith("body refused: ")] == []


def test_others_are_served_while_one_waits(server: Server, tmp_path: Path) -> None:
    begun, go_on = tmp_path / "begun", tmp_path / "go_on"
    with server.connect() as client:
        client.sendall(get(f"/wait?{begun},{go_on}", "Connection: close"))
        wait_until(begun.exists)
        assert statuses(server.tell(PROBE)) == [200]
        go_on.touch()
        assert read_all(client).endswith(b"waited")


def test_a_client_that_pipelines_does_not_starve_others(ours: Server, tmp_path: Path) -> None:
    begun, go_on = tmp_path / "begun", tmp_path / "go_on"
    with ours.connect() as greedy, ours.connect() as modest:
        modest.sendall(get("/echo"))
        read_until(modest, b"}")
        before = int(ours.ask("/count"))
        greedy.sendall(get(f"/block?{begun},{go_on}") + get("/count") * 100 + PROBE)
        wait_until(begun.exists)
        modest.sendall(get("/count", "Connection: close"))
        go_on.touch()
        assert int(read_all(modest).rpartition(b"\n")[2]) - before < 100
        assert statuses(read_all(greedy)) == [200] * 102


def test_requests_leave_nothing_to_the_garbage_collector(ours: Server) -> None:
    answers = ours.tell(get("/garbage?leave") + post("/echo", b"abc") * 100 + get("/garbage", "Connection: close"))

    assert statuses(answers) == [200] * 102
    assert int(answers.rpartition(b"\n")[2]) < 100


def test_nobody_is_waited_for_without_end(impatient: Server) -> None:
    begun = [b"", get("/echo"), b"G", get("/echo")[:-2], b"\r\n", get("/echo") + b"GET /"]
    with ExitStack() as stack:
        clients = [stack.enter_context(impatient.connect()) for _ in begun]
        for client, data in zip(clients, begun, strict=True):
            client.sendall(data)
        assert [len(statuses(read_all(client))) for client in clients] == [0, 1, 0, 0, 0, 1]


def test_a_body_is_not_waited_for_without_end(hasty: Server) -> None:
    begun = [
        get("/echo", "Content-Length: 9", method="POST") + b"abc",
        get("/unread", "Content-Length: 9", method="POST"),
        get("/echo", "Content-Length: 9", "Expect: 100-continue", method="POST"),
        get("/echo", "Content-Length: 9", method="POST").replace(b"1.1", b"1.0"),
    ]
    chunked = get("/unread", "Transfer-Encoding: chunked", method="POST") + b"3\r\nab"
    with ExitStack() as stack:
        clients = [stack.enter_context(hasty.connect()) for _ in (*begun, chunked)]
        for client, data in zip(clients, (*begun, chunked), strict=True):
            client.sendall(data)
        answers = [statuses(read_all(client)) for client in clients]
        assert answers == [[200], [200], [100, 200], [200], [200]]


def test_a_late_rest_of_a_body_is_no_request(hasty: Server) -> None:
    with hasty.connect() as client:
        client.sendall(get("/echo", "Content-Length: 900", method="POST") + b"abc")
        read_until(client, b'"body": "abc"')
        with suppress(OSError):
            client.sendall(get("/count"))
            assert read_all(client) == b""


def test_an_answer_that_nobody_takes_is_given_up(hasty: Server) -> None:
    with hasty.connect() as client:
        client.sendall(get("/events?flood"))
        wait_until(lambda: hasty.ask("/streams?flood") == b"1", what="the stream")
        assert wait_until(lambda: hasty.ask("/streams?flood") == b"0", what="the end of the stream")
