"""`taptrade trace`: the story of one id, from the database, Redis and the logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from runtime.clock import rfc3339
from runtime.log import REQUEST_ID
from runtime.messaging.commands import PlaceBet
from runtime.messaging.connection import Redis
from runtime.messaging.queues import BETS, Queue, Ticket
from runtime.messaging.redis_keys import BUS_COMMITS, pending
from runtime.messaging.redis_values import PendingBet
from taptrade.carried import told_at_ms
from taptrade.storyteller import Story
from tests.jobs.writer_desk import PRICE_CENTS, Desk
from tests.taptrade.office import Office, Said


@pytest.fixture
def _request() -> Iterator[None]:
    """Make what the test makes for a request."""
    before = REQUEST_ID.set("request-7")
    yield
    REQUEST_ID.reset(before)


def story(said: Said) -> Story:
    return msgspec.json.decode(said.out, type=Story)


def settled(desk: Desk) -> PlaceBet:
    desk.show(PRICE_CENTS)
    bet = desk.bet(desk.player())
    assert desk.place(bet)[0].code is None
    start_s = int(bet.cell_id.partition("_")[0])
    desk.clock.advance(start_s * 1000 + 6_000 - desk.clock.now_ms())
    desk.settle(start_s, PRICE_CENTS, PRICE_CENTS)
    return bet


def test_a_bet_is_told_from_tap_to_payout(office: Office, tmp_path: Path) -> None:
    bet = settled(office.desk)
    log = {"time": rfc3339(bet.received_ms + 2), "process": "api", "level": "ERROR", "message": f"lost {bet.id}"}
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "api.log").write_text(json.dumps(log) + "\n", encoding="utf-8")
    said = office.run("trace", bet.id.lower(), "--json")
    told = story(said)
    assert (said.code, told.kind, told.id, told.bets, told.began_ms) == (0, "bet", bet.id, [bet.id], bet.received_ms)
    assert [step.at_ms for step in told.steps] == sorted(step.at_ms for step in told.steps)
    whats = "\n".join(f"{step.part}: {step.what}" for step in told.steps)
    for expected in (
        "player: signed by",
        f"api: received bet {bet.id}",
        "feed: the tick that priced it: $92,002.50",
        "writer: commit 2: confirmed at ",
        "BET -100 cents",
        f"api: log: ERROR lost {bet.id}",
        "game: its window ends",
        "settler: commit 3: the settler's evidence",
        "PAYOUT +",
    ):
        assert expected in whats, whats
    assert told.passed[bet.id]["window's end to evidence"] == 1_000
    lines = office.run("trace", bet.id).out.splitlines()
    assert lines[0] == f"bet {bet.id}"
    assert any("\t+0.002 s\tapi\tlog: ERROR lost" in line for line in lines)
    assert lines[-1].startswith(f"{bet.id}: receipt to commit 0 ms, ")


@pytest.mark.usefixtures("_request")
def test_a_request_leads_to_its_bet_with_nothing_stored(office: Office) -> None:
    bet = settled(office.desk)
    REQUEST_ID.set("another")
    settled(office.desk)
    said = office.run("trace", "request-7", "--json")
    told = story(said)
    assert (said.code, told.kind, told.bets) == (0, "request", [bet.id])
    assert "--at says when" in told.notes[0]
    near = story(office.run("trace", "request-7", "--at", rfc3339(bet.received_ms), "--json"))
    assert (near.bets, near.notes) == ([bet.id], [])
    far = office.run("trace", "request-7", "--at", "2026-01-06")
    assert (far.code, far.out) == (1, "nothing is known of request-7\n")


def test_a_request_that_only_the_edge_saw_is_told(office: Office, tmp_path: Path) -> None:
    office.desk.player()
    (tmp_path / "access.log").write_text(
        '{"time":"2026-09-21T14:13:20+00:00","process":"nginx","request_id":"r-1","status":"504"}\n', encoding="utf-8"
    )
    said = office.run("trace", "r-1", "--log", tmp_path / "access.log")
    assert (said.code, "nginx\tlog: request_id=r-1 status=504" in said.out) == (0, True)


@pytest.mark.parametrize("form", ["{}", "c{}", "c{}.1"])
def test_a_commit_tells_what_it_wrote(office: Office, form: str) -> None:
    bet = settled(office.desk)
    told = story(office.run("trace", form.format(2), "--json"))
    assert (told.kind, told.bets) == ("commit", [bet.id])
    assert [step.what for step in told.steps if step.part == "writer"] == ["commit 2: 2 records; 1 BET, 1 confirmed"]


def test_a_job_that_waits_tells_of_its_bets_and_a_bet_of_its_job(office: Office) -> None:
    desk = office.desk
    bet = desk.bet(desk.player())
    office.writer_works = False
    Queue(desk.client, BETS, "test", backlog_max=10).enqueue([Ticket(bet)], desk.clock.now_ms())
    desk.client.set(pending(bet.id), PendingBet(bet.user_id, bet.decided_by_ms).encode())
    told = story(office.run("trace", bet.id, "--json"))
    job_id = told.steps[0].what.split()[1]
    assert told.steps[0].what == f"job {job_id} on bets: bets from test x 1, queued"
    assert told.steps[1].what.startswith(f"bet {bet.id} of {bet.user_id} is on its way")
    of_job = story(office.run("trace", job_id, "--json"))
    assert (of_job.kind, of_job.bets) == ("job", [bet.id])


def test_without_redis_the_rest_is_told(office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bet = settled(office.desk)
    monkeypatch.setenv("TAPTRADE_REDIS_URL", f"unix://{tmp_path}/nobody.sock")
    said = office.run("trace", bet.id)
    assert (said.code, "note: Redis does not answer" in said.err) == (0, True)


def test_a_withdrawal_is_told(office: Office) -> None:
    from tests.taptrade.test_reconcile import withdrawal

    one = withdrawal(office.desk, office.desk.player())
    told = story(office.run("trace", one, "--json"))
    assert (told.kind, told.steps[0].what.startswith(f"withdrawal {one}: $4.00 of ")) == ("withdrawal", True)


def test_the_bus_says_when_a_commit_was_told(redis_client: Redis) -> None:
    for number in range(1, 50):
        redis_client.xadd(BUS_COMMITS, {"commit": number, "events": b"[]"}, id=f"{1_000 + number}-0")
    assert told_at_ms(redis_client, [(3, 1_002), (45, 1_001), (49, 900), (50, 1_000)]) == {
        3: 1_003,
        45: 1_045,
        49: 1_049,
    }
    assert told_at_ms(redis_client, [(7, 9_000)]) == {}
