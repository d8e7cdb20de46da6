"""What holds with one API process holds with several: limits, streams and counts are the house's, not a process's."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from runtime.records.events import events_of_user, last_commit
from taptrade.client.sse import SseParser, StreamEvent
from tests.acceptance.crowd import Player, at_once, code_of
from tests.acceptance.system import STEADY, System
from tests.waiting import wait_until

WORKERS = ("1", "2")
ALLOWED = 5
ASKED = 20
HOPS_MAX = 60
CALLS = 40
CALLS_MAX = 10 * CALLS
OWN = ("bet", "balance")
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module", params=WORKERS, ids=lambda count: f"{count} workers")
def system(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[System]:
    """Run one system with so many API processes."""
    data = tmp_path_factory.mktemp("workers") / "data"
    few = {"deposits_per_day": str(ALLOWED), "bets_per_minute": str(ALLOWED), "column_seconds": "5"}
    with System(data, api_workers=request.param, **STEADY, **few) as running:
        yield running
        report = running.audit()
        assert report.ok, report.faults


def children(pid: int) -> list[int]:
    """Return the processes that one has begun."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_players_limits_count_over_all_processes(system: System) -> None:
    player = Player(system)
    assert player.withdraw(500_000).status_code == 201
    answers = at_once([lambda: player.send("POST", "/api/deposits", {"amount": 1})] * ASKED)
    assert Counter(map(code_of, answers)) == {"201": ALLOWED, "RATE_LIMITED": ASKED - ALLOWED}
    assert player.balance == 500_000 + ALLOWED

    def in_one_minute() -> Counter[str] | None:
        tapping = Player(system)
        bets = tapping.signed_bets(ASKED)
        minute = minute_of(system)
        answers = at_once([lambda bet=bet: tapping.send("POST", "/api/bets", bet) for bet in bets])  # type: ignore[misc]
        return Counter(map(code_of, answers)) if minute_of(system) == minute else None

    codes = wait_until(in_one_minute, 60, what="a minute in which all were sent")
    assert codes is not None
    assert codes["RATE_LIMITED"] == ASKED - ALLOWED, codes


def minute_of(system: System) -> int:
    """Return the minute that it is for the server."""
    return int(httpx.get(f"{system.url}/api/time", trust_env=False).json()["server_time_ms"]) // 60_000


def test_a_stream_goes_on_in_another_process_without_gap_or_repeat(system: System) -> None:
    player = Player(system)
    heard: list[str] = []
    told_by: set[str] = set()
    last = ""
    for hop in range(HOPS_MAX):
        if hop % 5 == 0 and hop < 5 * ALLOWED:  # something that is committed while nobody listens
            player.send("POST", "/api/bets", player.signed_bets(ALLOWED)[hop // 5])
            assert player.withdraw(100 + hop).status_code == 201
        events = listen(player, last)
        told_by.add(msgspec.json.decode(events[0].data)["run_id"])
        heard += [msgspec.json.decode(one.data)["event_id"] for one in events if one.type in OWN]
        last = events[-1].id
        if len(told_by) == system.settings.api_workers and hop > 5 * ALLOWED:
            break
    assert len(told_by) == system.settings.api_workers
    with system.database() as database:
        found = events_of_user(database.execute, player.user_id, (0, -1), last_commit(database.execute), 1_000)
    own = [f"c{commit}.{event.n}" for commit, event in found if event.type in OWN]
    begun = own.index(heard[0])
    assert heard == own[begun : begun + len(heard)]
    assert len(heard) > ALLOWED


def listen(player: Player, last: str) -> list[StreamEvent]:
    """Follow the stream over one connection until the third price."""
    headers = {"Authorization": f"Bearer {player.token}"} | ({"Last-Event-ID": last} if last else {})
    parser, events = SseParser(), list[StreamEvent]()
    url = f"{player.system.url}/api/stream"
    with httpx.stream("GET", url, headers=headers, trust_env=False, timeout=20) as response:
        for chunk in response.iter_raw():
            events += parser.feed(chunk)
            if sum(one.type == "price" for one in events) >= 3:
                break
    return events


def test_what_all_processes_counted_is_on_the_page_of_each(system: System) -> None:
    before, asked = counted(system), 0

    def all_told() -> Counter[str] | None:
        new = counted(system) - before
        return new if new.total() >= asked else None

    # The kernel gives connections to whichever process comes for them, so one of them may have them all for a while.
    while True:
        for _ in range(CALLS):
            assert httpx.get(f"{system.url}/api/rules", trust_env=False).status_code == 200
        asked += CALLS
        new = wait_until(all_told, 20, what="the counts of every process")
        assert new is not None
        assert new.total() == asked
        if len(new) == system.settings.api_workers:
            break
        assert asked < CALLS_MAX, new


def counted(system: System) -> Counter[str]:
    """Return how many calls each process says that it has answered, by whichever is asked."""
    page = httpx.get(f"{system.url}/metrics", trust_env=False).text
    samples = [one for family in text_string_to_metric_families(page) for one in family.samples]
    return Counter(
        {
            one.labels["slot"]: int(one.value)
            for one in samples
            if one.name == "taptrade_requests_total"
            and (one.labels["function"], one.labels["status"]) == ("rules", "200")
        }
    )


def test_a_process_that_is_killed_takes_no_bet_with_it_and_comes_back(system: System) -> None:
    player = Player(system)
    workers = children(system.pid_of("api"))
    assert len(workers) == system.settings.api_workers
    bets = player.signed_bets(ALLOWED)
    os.kill(workers[0], signal.SIGKILL)
    told = set()
    for signed in bets:

        def answered(signed: Any = signed) -> httpx.Response | None:
            try:
                answer = player.send("POST", "/api/bets", signed)
            except httpx.TransportError:  # the kernel gave the connection to the one that died
                return None
            return None if answer.status_code >= 500 else answer

        answer = wait_until(answered, 30, what="an answer")
        assert answer is not None
        bet = answer.json().get("bet")
        told |= {bet["id"]} if bet else set()
    stored = {one for (one,) in player.rows("SELECT id FROM bets WHERE user_id = ?")}
    taken = {one for (one,) in player.rows("SELECT id FROM bets WHERE user_id = ? AND refusal_code IS NULL")}
    staked = "SELECT ref_id FROM transaction_ledger WHERE user_id = ? AND ref_type = 'BET'"
    assert taken == {one for (one,) in player.rows(staked)}
    # A bet that the market's moves had refused is stored too; its answer names no bet unless a repeat asked for it.
    assert taken <= told <= stored
    assert len(taken) > 0

    def whole() -> bool:
        now = children(system.pid_of("api"))
        return len(now) == len(workers) and workers[0] not in now and system.is_well()

    wait_until(whole, 30, what="another process in its place")
