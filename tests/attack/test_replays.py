"""Replays: a nonce and a signature count once, within their half minute, after Redis' epoch, whatever is sent again."""

from __future__ import annotations

import pytest

from runtime.auth.bet_text import WINDOW_FUTURE_S, WINDOW_PAST_S
from runtime.messaging import memory, queues, redis_keys
from tests.attack.arena import Arena
from tests.attack.attacker import Player, code_of
from tests.attack.conftest import WALLET

REPLAYED = (409, "REPLAYED_NONCE")
EXPIRED = (401, "SIGNATURE_EXPIRED")


def test_a_replay_is_answered_with_the_bet_in_full_and_places_nothing(arena: Arena, victim: Player) -> None:
    bet = victim.bet()
    placed = victim.place(bet)
    assert placed.status_code == 201
    for instance in (*arena.instances, arena.one):
        again = victim.place(bet, instance=instance)
        assert code_of(again) == REPLAYED
        assert again.json["bet"] == placed.json["bet"]
        assert again.json["retryable"] is False
    assert placed.json["bet"] == victim.get(f"/api/bets/{placed.json['bet']['id']}").json["bet"]
    assert (arena.count("bets"), victim.balance) == (1, placed.json["balance"])


def test_a_replay_shows_what_has_become_of_the_bet(arena: Arena, victim: Player) -> None:
    bet = victim.bet()
    victim.place(bet)
    arena.advance(25_000)
    arena.desk.settle(int(bet["cell_id"].partition("_")[0]), 1, 2)
    assert code_of(victim.place(victim.bet(columns=0))) == (409, "CELL_CLOSED")
    # The cell of the bet has closed too, but whoever lost the answer learns what became of it.
    for again in (victim.place(bet), victim.place(victim.bet(nonce=bet["nonce"]))):
        assert code_of(again) == REPLAYED
        assert (again.json["bet"]["status"], again.json["bet"]["cell_id"]) == ("lost", bet["cell_id"])


def test_a_refused_bet_keeps_its_nonce_and_a_replay_shows_the_refusal(arena: Arena, victim: Player) -> None:
    bet = victim.bet(min_rate_bp=900_000)
    assert code_of(victim.place(bet)) == (409, "RATE_MOVED")
    again = victim.place(bet)
    assert code_of(again) == REPLAYED
    assert (again.json["bet"]["status"], again.json["bet"]["refusal_code"]) == ("refused", "RATE_MOVED")
    assert victim.place(victim.bet()).status_code == 201


def test_one_nonce_cannot_carry_two_bets(arena: Arena, victim: Player) -> None:
    one, two = victim.bet(nonce="sameNonce1"), victim.bet(nonce="sameNonce1", rows=1)
    placed = victim.place(one)
    again = victim.place(two)
    assert code_of(again) == REPLAYED
    assert again.json["bet"]["id"] == placed.json["bet"]["id"]
    assert arena.count("bets") == 1


def test_the_same_cell_again_shows_the_bet_that_is_there(arena: Arena, victim: Player) -> None:
    placed = victim.place(victim.bet())
    again = victim.place(victim.bet(amount=500))
    assert code_of(again) == (409, "DUPLICATE_BET")
    assert again.json["bet"] == placed.json["bet"]
    assert victim.balance == placed.json["balance"]


@pytest.mark.parametrize("characters", [8, 96, 128])
def test_a_nonce_of_any_length_counts_once(arena: Arena, victim: Player, characters: int) -> None:
    bet, withdrawal = victim.bet(nonce="b" * characters), victim.withdrawal(nonce="w" * characters)
    assert (victim.place(bet).status_code, victim.withdraw(withdrawal).status_code) == (201, 201)
    assert (code_of(victim.place(bet)), code_of(victim.withdraw(withdrawal))) == (REPLAYED, REPLAYED)


def test_nonces_of_two_players_are_apart(victim: Player, attacker: Player) -> None:
    assert victim.place(victim.bet(nonce="sameNonce1")).status_code == 201
    assert attacker.place(attacker.bet(nonce="sameNonce1")).status_code == 201


def test_bets_withdrawals_and_logins_of_a_wallet_share_their_nonces(arena: Arena, victim: Player) -> None:
    assert victim.place(victim.bet(nonce="sameNonce1")).status_code == 201
    answer = victim.withdraw(victim.withdrawal(nonce="sameNonce1"))
    assert code_of(answer) == REPLAYED
    taken = victim.withdraw(victim.withdrawal(nonce="sameNonce2"))
    assert taken.status_code == 201
    again = victim.place(victim.bet(nonce="sameNonce2", rows=1))
    assert code_of(again) == REPLAYED
    assert (again.json["bet"], again.json["bet_id"]) == (None, taken.json["withdrawal"]["id"])


@pytest.mark.parametrize("age_s", [0, WINDOW_PAST_S, -WINDOW_FUTURE_S])
def test_a_signature_counts_within_its_window(arena: Arena, victim: Player, age_s: int) -> None:
    timestamp = arena.now_ms // 1000 - age_s
    assert victim.place(victim.bet(timestamp=timestamp)).status_code == 201
    assert victim.withdraw(victim.withdrawal(timestamp=timestamp)).status_code == 201


@pytest.mark.parametrize("age_s", [WINDOW_PAST_S + 1, 3600, -WINDOW_FUTURE_S - 1, -3600])
def test_a_signature_from_outside_its_window_is_refused(arena: Arena, victim: Player, age_s: int) -> None:
    timestamp = arena.now_ms // 1000 - age_s
    bet, withdrawal = victim.bet(timestamp=timestamp), victim.withdrawal(timestamp=timestamp)
    for answer in (victim.place(bet), victim.withdraw(withdrawal)):
        assert code_of(answer) == EXPIRED
        assert answer.json["server_time_ms"] == arena.now_ms
        side = f"{abs(age_s)}.000 s {'behind' if age_s > 0 else 'ahead of'} the server's clock"
        assert side in answer.json["detail"]
        assert "at most 30 s behind and 5 s ahead are taken" in answer.json["detail"]
    assert (arena.count("bets"), arena.count("withdrawals")) == (0, 0)


def test_a_nonce_is_remembered_longer_than_any_signature_counts(arena: Arena, victim: Player) -> None:
    bet = victim.bet(timestamp=arena.now_ms // 1000 + WINDOW_FUTURE_S)
    victim.place(bet)
    key = redis_keys.nonce(victim.wallet, bet["nonce"])
    kept_s: int = arena.desk.client.ttl(key)
    counts_s = WINDOW_PAST_S + WINDOW_FUTURE_S
    assert counts_s < kept_s <= redis_keys.NONCE_TTL_S
    arena.desk.client.delete(key)  # as it goes by itself, at the earliest when this has passed:
    arena.advance((counts_s + 1) * 1000)
    assert code_of(victim.place(victim.bet() | {"timestamp": bet["timestamp"]})) == EXPIRED
    assert code_of(victim.place(bet)) in ((409, "CELL_CLOSED"), EXPIRED)


def test_what_was_signed_before_redis_came_up_empty_is_refused(arena: Arena, victim: Player) -> None:
    bet, unsent, withdrawal = victim.bet(key=WALLET), victim.bet(key=WALLET, rows=1), victim.withdrawal()
    assert [victim.place(bet).status_code, victim.withdraw(withdrawal).status_code] == [201, 201]
    arena.desk.client.flushall()
    assert code_of(victim.place(bet, instance=arena.two)) == (401, "UNAUTHENTICATED")  # sessions went, too
    arena.advance(1_000)
    queues.begin_epoch(arena.desk.client, arena.now_ms)
    arena.desk.hire()
    victim.token, _ = arena.one.sessions.create(victim.user_id, victim.wallet, "192.0.2.7")
    same_second = victim.bet(key=WALLET, rows=2), victim.withdrawal()
    answers = [victim.place(signed) for signed in (bet, unsent, same_second[0])]
    answers += [victim.withdraw(signed) for signed in (withdrawal, same_second[1])]
    for answer in answers:
        assert code_of(answer) == EXPIRED
        assert answer.json["server_time_ms"] == arena.now_ms
    assert (arena.count("bets"), arena.count("withdrawals")) == (1, 1)
    arena.advance(1_000)
    assert victim.place(victim.bet(key=WALLET, rows=3)).status_code == 201
    assert victim.withdraw(victim.withdrawal()).status_code == 201


def test_what_was_signed_before_redis_was_replaced_counts_no_more_and_what_was_placed_is_still_told(
    arena: Arena, victim: Player
) -> None:
    ahead = arena.now_ms // 1000 + WINDOW_FUTURE_S
    placed, lost = victim.bet(timestamp=ahead), victim.bet(timestamp=ahead, rows=1, min_rate_bp=900_000)
    assert [victim.place(placed).status_code, code_of(victim.place(lost))] == [201, (409, "RATE_MOVED")]
    arena.desk.client.delete(redis_keys.nonce(victim.wallet, lost["nonce"]))  # as it goes with a last second
    begin = arena.desk.client.register_script(memory.BEGIN)
    since_s = arena.now_ms // 1000
    assert begin(keys=[redis_keys.EPOCH], args=["another", "id", since_s, redis_keys.SIGNED_AHEAD_S]) == 1
    assert begin(keys=[redis_keys.EPOCH], args=["another", "id", since_s + 9, redis_keys.SIGNED_AHEAD_S]) == 0
    assert code_of(victim.place(placed)) == REPLAYED
    waiting = victim.place(lost)
    assert code_of(waiting) == (503, "UNAVAILABLE")
    assert waiting.headers["Retry-After"] == str(redis_keys.SIGNED_AHEAD_S + 1)
    arena.advance(redis_keys.SIGNED_AHEAD_S * 1000)
    assert code_of(victim.place(lost)) == EXPIRED
    assert code_of(victim.place(placed)) == REPLAYED
    arena.advance(1_000)
    assert victim.place(victim.bet(rows=1)).status_code == 201


def test_a_nonce_that_led_nowhere_says_so(arena: Arena, victim: Player) -> None:
    """A bet that Redis lost on its way: its nonce is used, and whoever sends it again learns that no money moved."""
    bet = victim.bet()
    queued = victim.place(bet, Prefer="respond-async")
    assert (queued.status_code, queued.json["bet"]["status"]) == (202, "pending")
    bet_id = queued.json["bet"]["id"]
    assert victim.get(f"/api/bets/{bet_id}").status_code == 202
    waiting = victim.place(bet)
    assert code_of(waiting) == REPLAYED
    assert (waiting.json["bet"], waiting.json["outcome"]) == (None, "unknown")
    arena.desk.client.delete(queues.QUEUE_PREFIX + queues.BETS)
    alive = '{"pid":1,"since_ms":1,"clock_ms":%d,"commit":1,"trouble":""}'
    arena.desk.client.set(redis_keys.WRITER_ALIVE, alive % (queued.json["bet"]["decided_by_ms"] + 1))
    lost = victim.place(bet)
    assert code_of(lost) == REPLAYED
    assert (lost.json["bet"], lost.json["outcome"], lost.json["bet_id"]) == (None, "never_placed", bet_id)
    assert code_of(victim.get(f"/api/bets/{bet_id}")) == (404, "BET_NEVER_PLACED")
    assert victim.balance == 1_000_000


def test_nobody_learns_of_anothers_bet(arena: Arena, victim: Player, attacker: Player) -> None:
    placed = victim.place(victim.bet()).json["bet"]["id"]
    pending = victim.place(victim.bet(rows=1), Prefer="respond-async").json["bet"]["id"]
    for bet_id in (placed, pending, "nothing", "7" * 26):
        assert code_of(attacker.get(f"/api/bets/{bet_id}")) == (404, "NOT_FOUND")
    arena.desk.work()
    assert attacker.get("/api/bets").json["bets"] == []
    assert [bet["id"] for bet in victim.get("/api/bets").json["bets"]] == [pending, placed]
