"""GET /api/stream, driven as a server drives it."""

from __future__ import annotations

import socket

import falcon
import pytest

from functions.stream import SEND_BUFFER_BYTES, _bounded
from runtime.stream import capacity
from runtime.stream.sse import HEARTBEAT, HEARTBEAT_MS
from runtime.stream.sweeper import Sweeper
from tests.functions.market_stall import Stall


def test_an_anonymous_stream_begins_with_hello_and_a_snapshot(stall: Stall) -> None:
    listening = stall.listen()
    first = listening.chunk()
    assert listening.status == "200 OK"
    assert listening.headers["content-type"].startswith("text/event-stream")
    assert listening.headers["cache-control"] == "no-cache, no-transform"
    assert listening.headers["x-accel-buffering"] == "no"
    assert "content-length" not in listening.headers
    assert first.startswith(b"retry: ")
    assert b"event: hello\n" in first
    assert b"event: snapshot\n" in first
    listening.close()
    assert stall.station.hub.count == 0


def test_a_player_sees_money_and_resumes_by_header_or_parameter(stall: Stall) -> None:
    desk = stall.station.desk
    user = desk.player()
    stall.station.relay()
    token = stall.log_in(user)
    listening = stall.listen(token=token)
    hello, snapshot = listening.events()
    assert hello.data["user_id"] == user
    assert snapshot.data["balance"] == 1_000_000
    desk.place(desk.bet(user))
    stall.station.relay()
    told = listening.events()
    assert {event.type for event in told} == {"bet", "balance"}
    listening.close()
    by_header = stall.listen(token=token, Last_Event_ID=snapshot.id)
    by_parameter = stall.listen(f"last_event_id={snapshot.id}&events=bet,balance", token=token)
    for again in (by_header, by_parameter):
        assert [event.event_id for event in again.events()[1:]] == [event.event_id for event in told]
        again.close()


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        pytest.param("lastEventId={newest}", {}, id="event-source-polyfill, reconnecting-eventsource"),
        pytest.param("&lastEventId={newest}", {}, id="event-source-polyfill, which took its last one out"),
        pytest.param("lastEventId={newest}&r=0.7281", {}, id="older polyfills"),
        pytest.param("lastEventId={oldest}&lastEventId={newest}", {}, id="appended to what was appended"),
        pytest.param("last_event_id={oldest}&lastEventId={newest}", {}, id="appended to what the page asked for"),
        pytest.param("lastEventId={oldest}", {"last-event-id": "{newest}"}, id="the browser's own, after a first one"),
        pytest.param("", {"LAST-EVENT-ID": "{newest}"}, id="header in capitals"),
        pytest.param("", {"Last-Event-ID": "{oldest}, {newest}"}, id="fetch-event-source, beside the page's own"),
        pytest.param("", {"Last-Event-ID": " {newest} "}, id="blanks"),
        pytest.param("last_event_id={newest}&_=1764284000000", {"Last-Event-ID": ""}, id="empty header"),
        pytest.param("stream=taptrade&lastEventId={newest}", {"Accept": "*/*"}, id="r3labs/sse"),
    ],
)
def test_every_way_to_say_the_cursor_resumes(stall: Stall, query: str, headers: dict[str, str]) -> None:
    desk = stall.station.desk
    user = desk.player()
    stall.station.relay()
    token = stall.log_in(user)
    listening = stall.listen(token=token)
    snapshot = listening.events()[-1]
    told = []
    for rows in range(2):
        desk.place(desk.bet(user, rows=rows))
        stall.station.relay()
        told.append(listening.events())
    listening.close()
    ids = {"oldest": snapshot.id, "newest": told[0][-1].id}

    given = {name: value.format(**ids) for name, value in headers.items()}
    again = stall.listen(query.format(**ids), token=token, **given)

    assert [event.event_id for event in again.events()[1:]] == [event.event_id for event in told[1]]
    again.close()


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        pytest.param("_=1764284000000", {}, id="cache buster"),
        pytest.param("_=1&_=2&_", {}, id="cache buster again and again"),
        pytest.param("evs_preamble&stream=messages&access_token=a%00b", {}, id="others' own"),
        pytest.param("lastEventId=", {"Last-Event-ID": ""}, id="no cursor yet"),
        pytest.param("", {"Accept": "text/html;q=0.1, */*;q=0"}, id="another media type"),
    ],
)
def test_what_libraries_add_does_not_end_a_stream(stall: Stall, query: str, headers: dict[str, str]) -> None:
    listening = stall.listen(query, **headers)
    assert [event.type for event in listening.events()] == ["hello", "snapshot"]
    listening.close()


def test_a_cursor_that_never_was_one_gets_a_reset(stall: Stall) -> None:
    listening = stall.listen("lastEventId=undefined")
    assert {event.type for event in listening.events()} == {"reset", "hello"}
    listening.close()


def test_filters_may_be_given_apart(stall: Stall) -> None:
    listening = stall.listen("events=bet&events=price&events=")
    assert listening.status == "200 OK"
    listening.close()


def test_the_streams_of_a_session_end_with_it(stall: Stall) -> None:
    user = stall.station.desk.player()
    token = stall.log_in(user)
    listening = stall.listen(token=token)
    listening.chunk()
    [session] = stall.sessions.of_user(user)
    assert stall.sessions.revoke(user, session.id)
    Sweeper(stall.station.hub, stall.station.client, stall.station.clock).sweep()
    with pytest.raises(StopIteration):
        listening.chunk()
    listening.close()
    answer = stall.client.simulate_get("/api/stream", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json["code"]) == (401, "UNAUTHENTICATED")


def test_the_password_of_a_site_in_front_is_no_token(stall: Stall) -> None:
    user = stall.station.desk.player()
    cookie = f"taptrade_session={stall.log_in(user)}"
    for headers, user_id in (({}, None), ({"Cookie": cookie}, user)):
        listening = stall.listen(Authorization="Basic dXNlcjpwYXNz", **headers)
        assert listening.events()[0].data["user_id"] == user_id
        listening.close()
    for token in ("Bearer", "bearer x"):
        answer = stall.client.simulate_get("/api/stream", headers={"Authorization": token, "Cookie": cookie})
        assert (answer.status_code, answer.json["code"]) == (401, "UNAUTHENTICATED")


def test_a_stream_ends_when_its_session_runs_out(stall: Stall) -> None:
    token, _ = stall.sessions.create(
        stall.station.desk.player(), "0x" + "ab" * 20, "192.0.2.1", until_ms=stall.clock.now_ms() + 60_000
    )
    listening = stall.listen(token=token)
    listening.chunk()
    sweeper = Sweeper(stall.station.hub, stall.station.client, stall.station.clock)
    stall.clock.advance(59_999)
    sweeper.sweep()
    assert listening.chunk() == HEARTBEAT
    stall.clock.advance(1)
    sweeper.sweep()
    with pytest.raises(StopIteration):
        listening.chunk()
    listening.close()


def test_a_silent_stream_gives_signs_of_life(stall: Stall) -> None:
    listening = stall.listen("events=status")
    listening.chunk()
    for _ in range(3):
        stall.clock.advance(HEARTBEAT_MS)
        assert listening.chunk() == HEARTBEAT
    listening.close()


@pytest.mark.parametrize("query", ["events=prices", "events=bet&events=prices", "events=Bet"])
def test_odd_filters_are_refused(stall: Stall, query: str) -> None:
    answer = stall.client.simulate_get("/api/stream", query_string=query)
    assert (answer.status_code, answer.json["code"]) == (400, "INVALID_REQUEST")
    assert stall.station.hub.count == 0


def test_a_hub_that_cannot_take_more_answers_503(stall: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "SUBSCRIBERS_MAX", 0)
    answer = stall.client.simulate_get("/api/stream")
    assert answer.status == falcon.HTTP_503
    assert answer.json["code"] == "OVERLOADED"
    assert answer.headers["Retry-After"] == "10"


def test_two_hundred_that_come_and_go_leave_nothing(stall: Stall) -> None:
    token = stall.log_in(stall.station.desk.player())
    for turn in range(200):
        listening = stall.listen(token=token if turn % 2 else "")
        if turn % 3:
            listening.chunk()
        listening.close()
    assert stall.station.hub.count == 0


def test_head_opens_no_stream(stall: Stall) -> None:
    stall.client.simulate_head("/api/stream")
    assert stall.station.hub.count == 0


def test_what_waits_in_the_kernel_is_bounded_and_a_hanging_connection_can_be_cut() -> None:
    ours, theirs = socket.socketpair()
    cut = _bounded(ours)
    assert cut is not None
    assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * SEND_BUFFER_BYTES
    cut()
    assert theirs.recv(1) == b""
    ours.close()
    theirs.close()
    cut()
    assert _bounded(None) is None
