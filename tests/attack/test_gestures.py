"""Gestures: one signature over many taps, each judged, stored and charged once, none with more rights than alone."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.clock import ManualClock
from runtime.game.gestures import TAPS_MAX, gesture_of
from runtime.settings import Settings
from tests.attack.arena import Arena, open_arena
from tests.attack.attacker import Player, cell_id, code_of, tap_of
from tests.attack.conftest import SESSION_KEY, WALLET

REPLAYED = (409, "REPLAYED_NONCE")
THREE: list[dict[str, Any]] = [{}, {"rows": 1}, {"rows": 2, "amount": 500}]


def codes(taps: list[dict[str, Any]]) -> list[str]:
    """Return what became of each tap: its refusal's code, or nothing."""
    return [tap["refusal"]["code"] if "refusal" in tap else "" for tap in taps]


def test_each_tap_is_a_bet_of_its_own(arena: Arena, victim: Player) -> None:
    before = victim.balance
    placed = victim.place(victim.gesture(*THREE))
    assert placed.status_code == 201, placed.text
    gesture_id, taps = placed.json["gesture_id"], placed.json["taps"]
    assert [tap["balance"] for tap in taps] == [before - 100, before - 200, before - 700]
    assert [gesture_of(tap["bet"]["id"]) for tap in taps] == [(gesture_id, 1), (gesture_id, 2), (gesture_id, 3)]
    for tap in taps:
        assert victim.get(f"/api/bets/{tap['bet']['id']}").json["bet"] == tap["bet"]
    assert (arena.count("bets"), arena.count("gesture_rows"), victim.balance) == (3, 1, before - 700)


def test_a_bad_tap_is_refused_alone(arena: Arena, victim: Player) -> None:
    victim.place(victim.bet(rows=5))
    before = victim.balance
    answer = victim.place(
        victim.gesture(
            {"cell_id": "1_2_3"},
            {},
            {"amount": 7, "rows": 1},
            {"columns": 0},
            {"min_rate_bp": 900_000, "rows": 2},
            {"amount": 500},
            {"rows": 5},
            {"rows": 3},
        )
    )
    assert answer.status_code == 201, answer.text
    taps = answer.json["taps"]
    unknown, moved, twice = "CELL_UNKNOWN", "RATE_MOVED", "DUPLICATE_BET"
    assert codes(taps) == [unknown, "", "STAKE_NOT_ALLOWED", "CELL_CLOSED", moved, twice, twice, ""]
    assert taps[4]["refusal"]["refused"]["refusal_code"] == moved
    assert taps[5]["refusal"]["bet"] == taps[1]["bet"]
    assert [gesture_of(taps[place]["bet"]["id"])[1] for place in (1, 7)] == [2, 8]
    assert victim.balance == before - 200


def test_a_gesture_of_which_nothing_can_be_placed_uses_no_nonce(arena: Arena, victim: Player) -> None:
    answer = victim.place(victim.gesture({"cell_id": "1_2_3"}, {"amount": 7}, nonce="sameNonce1"))
    assert (answer.status_code, codes(answer.json["taps"])) == (200, ["CELL_UNKNOWN", "STAKE_NOT_ALLOWED"])
    assert victim.place(victim.gesture({}, nonce="sameNonce1")).status_code == 201
    assert arena.count("gesture_rows") == 1


def test_a_balance_that_covers_some_is_spent_on_these(arena: Arena, victim: Player) -> None:
    left = victim.balance - 250
    assert victim.withdraw(victim.withdrawal(amount=left)).status_code == 201
    answer = victim.place(victim.gesture({}, {"rows": 1}, {"rows": 2}, {"rows": 3}))
    assert codes(answer.json["taps"]) == ["", "", "INSUFFICIENT_FUNDS", "INSUFFICIENT_FUNDS"]
    assert victim.balance == 50


def test_a_replay_tells_what_became_of_each_tap_and_places_nothing(arena: Arena, victim: Player) -> None:
    body = victim.gesture({}, {"rows": 1, "min_rate_bp": 900_000}, {"cell_id": "1_2_3"}, {"rows": 2})
    placed = victim.place(body)
    assert codes(placed.json["taps"]) == ["", "RATE_MOVED", "CELL_UNKNOWN", ""]
    balance = victim.balance
    for instance in arena.instances:
        again = victim.place(body, instance=instance)
        assert code_of(again) == REPLAYED
        assert again.json["gesture_id"] == placed.json["gesture_id"]
        first = [{name: told for name, told in tap.items() if name != "balance"} for tap in placed.json["taps"]]
        assert again.json["taps"] == first
    arena.advance(25_000)
    arena.desk.settle(int(body["taps"][0]["cell_id"].partition("_")[0]), 1, 2)
    late = victim.place(body)  # its cells have closed
    assert code_of(late) == REPLAYED
    assert [tap["bet"]["status"] for tap in late.json["taps"] if "bet" in tap] == ["lost", "lost"]
    assert (arena.count("bets"), victim.balance) == (3, balance)


def test_a_nonce_counts_once_for_gestures_and_single_bets_together(arena: Arena, victim: Player) -> None:
    placed = victim.place(victim.gesture(*THREE, nonce="sameNonce1"))
    again = victim.place(victim.bet(nonce="sameNonce1", rows=-1))
    assert code_of(again) == REPLAYED
    assert [tap["bet"]["id"] for tap in again.json["taps"]] == [tap["bet"]["id"] for tap in placed.json["taps"]]
    single = victim.place(victim.bet(nonce="sameNonce2", rows=-1))
    again = victim.place(victim.gesture({"rows": -2}, nonce="sameNonce2"))
    assert code_of(again) == REPLAYED
    assert again.json["bet"] == single.json["bet"]
    assert arena.count("bets") == 4


def test_a_repeat_before_the_commit_says_that_it_is_pending(arena: Arena, victim: Player) -> None:
    body = victim.gesture(*THREE)
    queued = victim.place(body, Prefer="respond-async")
    assert queued.status_code == 202, queued.text
    ids = [tap["bet"]["id"] for tap in queued.json["taps"]]
    assert {tap["bet"]["status"] for tap in queued.json["taps"]} == {"pending"}
    assert victim.get(f"/api/bets/{ids[1]}").status_code == 202
    again = victim.place(body)
    assert code_of(again) == REPLAYED
    assert [(tap["outcome"], tap["bet_id"]) for tap in again.json["taps"]] == [("pending", one) for one in ids]
    arena.desk.work()
    assert [tap["bet"]["id"] for tap in victim.place(body).json["taps"]] == ids


@pytest.mark.parametrize("change", ["floor", "order", "less", "more", "stake", "nonce", "timestamp", "single"])
def test_nothing_of_what_was_signed_can_be_changed(arena: Arena, victim: Player, change: str) -> None:
    body = victim.gesture(*THREE)
    taps = [dict(tap) for tap in body["taps"]]
    if change == "floor":
        taps[1]["min_rate_bp"] -= 1
    elif change == "order":
        taps.reverse()
    elif change == "less":
        taps.pop()
    elif change == "more":
        taps.append(tap_of(arena.now_ms, rows=6))
    elif change == "stake":
        taps[0]["amount"] = 500
    sent = body | {"taps": taps}
    if change == "nonce":
        sent["nonce"] = arena.nonce()
    elif change == "timestamp":
        sent["timestamp"] -= 1
    elif change == "single":
        rest = {name: sent[name] for name in ("nonce", "timestamp", "signature")}
        sent = taps[0] | rest
    assert code_of(victim.place(sent)) == (401, "INVALID_SIGNATURE")
    assert arena.count("bets") == 0


def test_the_signature_of_a_single_bet_is_none_of_a_gesture(arena: Arena, victim: Player) -> None:
    bet = victim.bet()
    rest = {name: bet[name] for name in ("nonce", "timestamp", "signature")}
    tap = {name: bet[name] for name in ("cell_id", "amount", "min_rate_bp")}
    assert code_of(victim.place({"taps": [tap], **rest})) == (401, "INVALID_SIGNATURE")
    assert arena.count("bets") == 0


def test_another_players_gesture_is_not_taken(victim: Player, attacker: Player) -> None:
    assert code_of(attacker.place(victim.gesture(*THREE))) == (401, "INVALID_SIGNATURE")
    old = victim.gesture(*THREE, timestamp=victim.arena.now_ms // 1000 - 31)
    assert code_of(victim.place(old)) == (401, "SIGNATURE_EXPIRED")


@pytest.mark.parametrize(
    "taps",
    [
        [],
        [{}] * (TAPS_MAX + 1),
        [{"cell_id": "1_2_3 100 10000\nTap: 4_5_6"}],
        [{"cell_id": "1_2_3 100"}],
        [{"amount": -100}],
        [{"amount": 1.5}],
        [{"stake": 100}],
    ],
)
def test_what_is_no_list_of_taps_is_refused_as_a_whole(arena: Arena, victim: Player, taps: list[Any]) -> None:
    assert code_of(victim.place(victim.gesture(*taps))) == (400, "INVALID_REQUEST")
    assert arena.count("bets") == 0


def test_twenty_taps_go_and_both_forms_at_once_do_not(arena: Arena, victim: Player) -> None:
    taps = [{"rows": row, "columns": column, "min_rate_bp": 0} for column in (3, 4) for row in range(-5, 5)]
    answer = victim.place(victim.gesture(*taps))
    assert (answer.status_code, len(answer.json["taps"])) == (201, TAPS_MAX)
    assert 10 < codes(answer.json["taps"]).count("") == arena.count("transaction_ledger") - 1
    assert code_of(victim.place(victim.bet() | {"taps": []})) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("keys", [(SESSION_KEY, SESSION_KEY)], indirect=False)
def test_each_tap_counts_in_the_limit_of_a_minute(
    settings: Settings, clock: ManualClock, keys: tuple[bytes, bytes]
) -> None:
    with open_arena(settings, clock, bets_per_minute=5) as arena:
        player = Player(arena, WALLET, keys[0]).log_in()
        assert player.place(player.gesture(*THREE)).status_code == 201
        much = player.gesture({"rows": 4}, {"rows": 5}, {"rows": 6})
        refused = player.place(much)
        assert code_of(refused) == (429, "RATE_LIMITED")
        assert refused.json["remaining"] == 2
        # What did not fit as a whole has used nothing of what is left.
        assert player.place(player.gesture({"rows": 4}, {"rows": 5})).status_code == 201
        refused = player.place(player.bet(rows=7))
        assert (code_of(refused), refused.json["remaining"]) == ((429, "RATE_LIMITED"), 0)
        arena.advance(60_000)
        assert code_of(player.place(player.gesture({"rows": 6}))) == (201, "")
        assert arena.count("bets") == 6


def test_refused_taps_count_each(settings: Settings, clock: ManualClock) -> None:
    with open_arena(settings, clock, refused_bets_per_day=3) as arena:
        player = Player(arena, WALLET, SESSION_KEY).log_in()
        moved = [{"rows": row, "min_rate_bp": 900_000} for row in range(4)]
        assert codes(player.place(player.gesture(*moved)).json["taps"]) == ["RATE_MOVED"] * 4
        assert code_of(player.place(player.bet())) == (429, "RATE_LIMITED")


def test_a_gesture_signed_with_the_wallet_or_for_another_chain(arena: Arena, victim: Player) -> None:
    assert victim.place(victim.gesture(*THREE, key=WALLET)).status_code == 201
    foreign = victim.gesture({"cell_id": cell_id(arena.now_ms, rows=4)}, chain_id=999)
    assert code_of(victim.place(foreign)) == (401, "INVALID_SIGNATURE")
