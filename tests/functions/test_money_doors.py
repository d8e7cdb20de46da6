"""Bets, deposits and withdrawals over the whole app: what is refused and why, and what becomes of the pending."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from runtime.auth import chains
from runtime.auth.signatures import recover
from runtime.messaging import redis_keys
from tests.attack.arena import Arena, Instance
from tests.attack.attacker import Player, code_of


@pytest.fixture
def player(arena: Arena) -> Player:
    """Return a signed-in player."""
    return Player(arena, b"\x11" * 32, b"\x22" * 32).log_in()


@pytest.fixture
def opened(arena: Arena) -> Iterator[list[Instance]]:
    """Return a list of further processes, which are closed at the end."""
    instances: list[Instance] = []
    yield instances
    for instance in instances:
        instance.close()


def another(arena: Arena, opened: list[Instance], **settings: Any) -> Instance:
    """Return a process with other settings."""
    instance = Instance(arena.desk, replace(arena.settings, **settings), f"api-{len(opened) + 3}")
    instance.market.synchronize(arena.desk.client, "0-0")
    opened.append(instance)
    return instance


def test_bets_beyond_the_limit_of_a_wallet_are_refused_and_keep_their_nonce(
    arena: Arena, player: Player, opened: list[Instance]
) -> None:
    strict = another(arena, opened, bets_per_minute=2)
    bets = [player.bet(rows=row) for row in range(3)]
    answers = [player.place(bet, instance=strict) for bet in bets]
    assert [code_of(answer)[0] for answer in answers] == [201, 201, 429]
    refused = answers[-1]
    assert (refused.json["code"], refused.json["retryable"], refused.json["limit"]) == ("RATE_LIMITED", True, 2)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit"].startswith('"bets";r=0;t=')
    assert player.place(bets[-1]).status_code == 201


def test_a_full_queue_is_said_to_be_full_and_the_bet_can_be_sent_again(arena: Arena, player: Player) -> None:
    arena.desk.client.set(redis_keys.BACKLOG_BETS, 10_000)
    bet = player.bet()
    full = player.place(bet)
    assert code_of(full) == (503, "OVERLOADED")
    assert (full.json["retryable"], full.headers["retry-after"]) == (True, "1")
    arena.desk.client.set(redis_keys.BACKLOG_BETS, 0)
    assert player.place(bet).status_code == 201


def test_where_there_is_no_room_a_bet_is_refused_before_its_signature_is_looked_at(
    arena: Arena, player: Player
) -> None:
    room, bet = arena.one.parts.admission, player.bet()
    room.bets = room.bets_max
    full = player.place(bet | {"signature": "0x" + "1" * 130})
    assert code_of(full) == (503, "OVERLOADED")
    assert (full.json["retryable"], full.headers["retry-after"]) == (True, "1")
    room.bets -= 1
    assert player.place(bet).status_code == 201  # its nonce was not used up
    assert room.bets == room.bets_max - 1


def test_a_bet_that_waited_in_front_of_the_process_is_refused_before_its_signature_is_looked_at(
    arena: Arena, player: Player
) -> None:
    bet = player.bet()
    late = {"X_Request_Start": f"t={(arena.now_ms - 501) / 1000:.3f}"}
    assert code_of(player.place(bet | {"signature": "0x" + "1" * 130}, **late)) == (503, "OVERLOADED")
    in_time = {"X_Request_Start": f"t={(arena.now_ms - 499) / 1000:.3f}"}
    assert player.place(bet, **in_time).status_code == 201


def test_without_fresh_prices_or_a_writer_that_can_write_no_bet_is_taken(arena: Arena, player: Player) -> None:
    arena.clock.advance(10_001)
    assert code_of(player.place(player.bet())) == (503, "PRICE_FEED_STALE")
    arena.refresh()
    trouble = '{"pid":1,"since_ms":1,"clock_ms":1,"commit":1,"trouble":"disk full"}'
    arena.desk.client.set(redis_keys.WRITER_ALIVE, trouble)
    arena.one.parts.writer_watch.look()
    assert code_of(player.place(player.bet())) == (503, "UNAVAILABLE")
    assert player.place(player.bet(), instance=arena.two).status_code == 201  # has not heard of it yet; no harm


@pytest.mark.parametrize(("ahead_ms", "status"), [(0, 409), (-1, 409), (1, 201), (10**6, 201)])
def test_a_bet_is_valid_until_its_player_says(arena: Arena, player: Player, ahead_ms: int, status: int) -> None:
    bet = player.bet() | {"valid_until_ms": arena.now_ms + ahead_ms}
    answer = player.place(bet)
    assert answer.status_code == status
    if status == 409:
        assert (answer.json["code"], answer.json["server_time_ms"]) == ("BET_EXPIRED", arena.now_ms)
    else:
        [decided] = arena.desk.database.execute("SELECT decided_by_ms FROM bets")[0]
        assert decided == arena.now_ms + min(ahead_ms, 10_000)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({"columns": 0}, (409, "CELL_CLOSED"), id="current column"),
        pytest.param({"columns": 1}, (409, "CELL_CLOSED"), id="next column"),
        pytest.param({"columns": 13}, (409, "CELL_CLOSED"), id="beyond the horizon"),
        pytest.param({"amount": 101}, (422, "STAKE_NOT_ALLOWED"), id="no preset"),
        pytest.param({"rows": 400}, (422, "CELL_NOT_OFFERED"), id="no rate"),
        pytest.param({"min_rate_bp": 900_000}, (409, "RATE_MOVED"), id="floor"),
    ],
)
def test_what_cannot_be_bet_is_refused_with_its_code(
    arena: Arena, player: Player, changed: dict[str, Any], expected: tuple[int, str]
) -> None:
    answer = player.place(player.bet(**changed))
    assert code_of(answer) == expected
    if expected[1] == "STAKE_NOT_ALLOWED":
        assert answer.json["presets"] == [100, 500, 1000, 5000, 10000]
        assert answer.json["detail"].endswith(": 100, 500, 1000, 5000, 10000 cents.")
    if expected[1] == "RATE_MOVED":
        assert answer.json["min_rate_bp"] == 900_000 > answer.json["rate_bp"]
        assert answer.json["grid_version"] == arena.now_ms
    assert player.balance == 1_000_000


def test_too_little_money_is_said(arena: Arena, player: Player) -> None:
    assert player.withdraw(player.withdrawal(amount=999_950)).status_code == 201
    assert code_of(player.place(player.bet())) == (402, "INSUFFICIENT_FUNDS")
    assert code_of(player.withdraw(player.withdrawal(amount=101))) == (402, "INSUFFICIENT_FUNDS")
    assert player.balance == 50


def test_a_trifle_and_one_withdrawal_too_many_are_refused_with_what_is_taken(player: Player) -> None:
    trifle = player.withdraw(player.withdrawal(amount=1))
    assert (code_of(trifle), trifle.json["amount_min_cents"]) == ((422, "WITHDRAWAL_TOO_SMALL"), 100)
    answers = [player.withdraw(player.withdrawal()) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [201] * 10 + [409]
    refused = answers[-1].json
    assert (refused["code"], refused["pending"], refused["pending_max"]) == ("WITHDRAWALS_PENDING", 10, 10)
    assert player.balance == 999_000


def test_unsigned_bets_are_taken_only_where_they_are_switched_on(
    arena: Arena, player: Player, opened: list[Instance]
) -> None:
    lax = another(arena, opened, bet_signatures="off")
    unsigned = player.bet() | {"signature": ""}
    assert code_of(player.place(unsigned)) == (401, "INVALID_SIGNATURE")
    assert player.place(unsigned, instance=lax).status_code == 201
    wrong = player.bet(rows=1) | {"signature": "0x" + "00" * 65}
    assert code_of(player.place(wrong, instance=lax)) == (401, "INVALID_SIGNATURE")


def test_bets_and_withdrawals_are_signed_for_any_accepted_chain_and_proved_for_ever(
    arena: Arena, player: Player, opened: list[Instance]
) -> None:
    several = another(arena, opened, chain_ids=(1, 137))
    path = ""
    for row, chain_id in enumerate((1, 137)):
        placed = player.place(player.bet(rows=row, chain_id=chain_id), instance=several)
        assert placed.status_code == 201
        path = f"/api/bets/{placed.json['bet']['id']}?verify=true"
        signed = player.get(path, instance=several).json["proof"]["signed"]
        assert (signed["ok"], signed["chain_id"]) == (True, chain_id)
        assert f"\nChain: {chain_id}\n" in signed["text"]
        assert player.withdraw(player.withdrawal(chain_id=chain_id), instance=several).status_code == 201
    # Without the chain in its settings a process cannot know for which one the bet was signed.
    unknown = player.get(path).json["proof"]["signed"]
    assert (unknown["ok"], unknown["chain_id"]) == (False, None)
    assert "for the chain 1" in unknown["finding"]
    for chain_id in (10, 0):
        refused = player.place(player.bet(rows=2, chain_id=chain_id), instance=several)
        assert code_of(refused) == (401, "INVALID_SIGNATURE")
        refused = player.withdraw(player.withdrawal(chain_id=chain_id), instance=several)
        assert code_of(refused) == (401, "INVALID_SIGNATURE")


def test_a_bet_for_the_first_chain_costs_one_recovery(
    arena: Arena, player: Player, opened: list[Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    several = another(arena, opened, chain_ids=(1, 137, 10))
    recovered: list[bytes] = []

    def counting(message: bytes, signature: bytes) -> str | None:
        recovered.append(message)
        return recover(message, signature)

    monkeypatch.setattr(chains, "recover", counting)
    assert player.place(player.bet(), instance=several).status_code == 201
    assert len(recovered) == 1


def test_money_is_not_moved_by_players_in_live_mode(arena: Arena, player: Player, opened: list[Instance]) -> None:
    live = another(arena, opened, mode="live")
    assert code_of(player.send("/api/deposits", {"amount": 1}, instance=live)) == (403, "FORBIDDEN")


def test_a_writer_that_does_not_answer_is_said_to_be_unavailable(
    arena: Arena, player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arena.one.parts.outbox, "submit", lambda _: None)
    for answer in (player.send("/api/deposits", {"amount": 1}), player.withdraw(player.withdrawal())):
        assert code_of(answer) == (503, "UNAVAILABLE")
        assert answer.json["retryable"] is True


def test_a_bet_that_gets_no_answer_is_pending_and_found_later(
    arena: Arena, player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier: Any = arena.one.parts.outbox
    honest = carrier.place

    def silent(ticket: Any, *, until_queued: bool) -> None:
        honest(ticket, until_queued=True)

    monkeypatch.setattr(carrier, "place", silent)
    answer = player.place(player.bet())
    bet = answer.json["bet"]
    assert (answer.status_code, bet["status"], bet["decided_by_ms"]) == (202, "pending", arena.now_ms + 10_000)
    assert answer.json.get("balance") is None
    waiting = player.get(f"/api/bets/{bet['id']}")
    assert (waiting.status_code, waiting.json["bet"]["decided_by_ms"]) == (202, bet["decided_by_ms"])
    arena.desk.work()
    assert player.get(f"/api/bets/{bet['id']}").json["bet"]["status"] == "confirmed"


def test_a_bet_that_comes_between_the_two_looks_is_found(
    arena: Arena, player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    bet_id = player.place(player.bet(), Prefer="wait=10, Respond-Async").json["bet"]["id"]
    arena.clock.advance(10_001)
    honest = arena.desk.client.get

    def commits_first(key: Any) -> Any:
        if key == redis_keys.WRITER_ALIVE:
            arena.desk.client.get = honest  # type: ignore[method-assign]
            arena.desk.work()
            return b'{"clock_ms": %d}' % arena.now_ms
        return honest(key)

    monkeypatch.setattr(arena.desk.client, "get", commits_first)
    answer = player.get(f"/api/bets/{bet_id}")
    assert (answer.status_code, answer.json["bet"]["status"]) == (200, "refused")
    assert answer.json["bet"]["refusal_code"] == "BET_EXPIRED"
