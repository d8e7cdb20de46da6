"""Idempotency-Key on deposits and withdrawals: one effect, one answer, whatever comes in between."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runtime.betting.idempotency import KEYS_KEPT_MS
from runtime.messaging import redis_keys
from runtime.messaging.commands import Withdraw
from tests.attack.arena import Arena
from tests.attack.attacker import Player, code_of

KEY = {"Idempotency_Key": "key-1"}
REUSED = (422, "IDEMPOTENCY_KEY_REUSED")


def deposit(player: Player, amount: int, **how: Any) -> Any:
    """Ask for play money."""
    return player.send("/api/deposits", {"amount": amount}, **how)


@pytest.fixture(autouse=True)
def poorer(victim: Player) -> None:
    """Leave room below the cap of demo deposits."""
    assert victim.withdraw(victim.withdrawal(amount=900_000)).status_code == 201


def test_a_deposit_is_made_once_for_its_key(arena: Arena, victim: Player) -> None:
    first = deposit(victim, 500, **KEY)
    again = deposit(victim, 500, instance=arena.two, **KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert victim.balance == 100_500
    assert code_of(deposit(victim, 501, **KEY)) == REUSED
    assert victim.balance == 100_500
    assert deposit(victim, 500).json["balance"] == 101_000  # without a key, each is another


def test_white_space_and_field_order_do_not_make_another_body(victim: Player) -> None:
    body = victim.withdrawal(amount=300)
    first = victim.withdraw(body, **KEY)
    turned = victim.withdraw(dict(reversed(body.items())), **KEY)
    assert (first.status_code, turned.json) == (201, first.json)


def test_another_spelling_of_the_signature_does_not_make_another_body(victim: Player) -> None:
    body = victim.withdrawal(amount=300)
    first = victim.withdraw(body, **KEY)
    spelled = victim.withdraw(body | {"signature": body["signature"][2:].upper()}, **KEY)
    assert (first.status_code, spelled.json) == (201, first.json)
    assert code_of(victim.withdraw(body | {"signature": "0x" + "11" * 65}, **KEY)) == REUSED


def test_a_withdrawal_is_made_once_for_its_key_even_when_its_signature_is_old(arena: Arena, victim: Player) -> None:
    body = victim.withdrawal(amount=300)
    first = victim.withdraw(body, **KEY)
    assert first.status_code == 201
    arena.advance(3_600_000)
    again = victim.withdraw(body, instance=arena.two, **KEY)
    assert (again.status_code, again.json) == (201, first.json)
    assert victim.balance == 99_700
    assert code_of(victim.withdraw(victim.withdrawal(amount=300), **KEY)) == REUSED  # another nonce, another body
    assert arena.count("withdrawals") == 2


def test_an_answer_that_an_older_build_stored_is_replayed_in_the_present_form(arena: Arena, victim: Player) -> None:
    body = victim.withdrawal(amount=300)
    first = victim.withdraw(body, **KEY)
    taken = first.json["withdrawal"]["id"]
    stored = {
        "id": taken,
        "user_id": victim.user_id,
        "amount": 300,
        "to_address": victim.wallet,
        "status": "pending",
        "requested_at": arena.now_ms,
        "reference": None,
        "who": None,
        "why": None,
        "resolved_at": None,
    }
    answer = json.dumps({"id": taken, "data": {"withdrawal": stored, "balance": 99_700}})
    arena.desk.database.execute("UPDATE idempotency_keys SET answer = ?", (answer,))
    assert victim.withdraw(body, instance=arena.two, **KEY).json == first.json


def test_a_deposits_answer_of_an_older_build_is_replayed_in_the_present_form(arena: Arena, victim: Player) -> None:
    first = deposit(victim, 500, **KEY)
    stored = {name: first.json[name] for name in ("ledger_id", "amount", "balance", "reference")}
    answer = json.dumps({"id": stored["reference"], "data": stored})
    arena.desk.database.execute("UPDATE idempotency_keys SET answer = ?", (answer,))
    assert deposit(victim, 500, **KEY).json == first.json


def test_a_refused_withdrawal_is_not_kept_for_its_key(victim: Player) -> None:
    body = victim.withdrawal(amount=100_001)
    assert code_of(victim.withdraw(body, **KEY)) == (402, "INSUFFICIENT_FUNDS")
    assert code_of(victim.withdraw(body, **KEY)) == (409, "REPLAYED_NONCE")
    assert victim.withdraw(victim.withdrawal(amount=100_000), **KEY).status_code == 201


def test_keys_of_two_routes_and_two_players_are_apart(victim: Player, attacker: Player) -> None:
    attacker.withdraw(attacker.withdrawal(amount=900_000))
    assert deposit(victim, 500, **KEY).status_code == 201
    assert victim.withdraw(victim.withdrawal(amount=500), **KEY).status_code == 201
    assert deposit(attacker, 700, **KEY).json["balance"] == 100_700
    assert (victim.balance, attacker.balance) == (100_000, 100_700)


def test_a_key_is_kept_for_a_day(arena: Arena, victim: Player) -> None:
    deposit(victim, 500, **KEY)
    arena.advance(KEYS_KEPT_MS + 1)
    victim.log_in()
    assert deposit(victim, 501, **KEY).json["balance"] == 101_001


@pytest.mark.parametrize("key", ["", "k" * 201, "ключ", "a\tb", "a\x7fb"])
def test_an_odd_key_is_refused(victim: Player, key: str) -> None:
    wire = key.encode().decode("latin-1")
    assert code_of(deposit(victim, 500, Idempotency_Key=wire)) == (400, "INVALID_REQUEST")
    assert victim.balance == 100_000


def test_two_with_one_key_that_both_passed_the_first_look_take_money_once(arena: Arena, victim: Player) -> None:
    """The writer looks again inside the transaction: what was queued twice is done once, with one answer."""
    asked: list[Withdraw] = []
    submit = arena.one.parts.outbox.submit

    def only_note(command: Any, **_: Any) -> None:
        asked.append(command)

    arena.one.parts.outbox.submit = only_note  # type: ignore[method-assign]
    for nonce in ("sameBody01", "sameBody01"):
        body = victim.withdrawal(amount=300, nonce=nonce)
        assert code_of(victim.withdraw(body, **KEY))[0] == 503
        arena.desk.client.delete(redis_keys.nonce(victim.wallet, nonce))  # as if two nonces had raced
    outcomes = [submit(command) for command in asked]
    assert len(outcomes) == 2
    assert all(outcome is not None and outcome.code is None for outcome in outcomes)
    assert outcomes[0].data == outcomes[1].data  # type: ignore[union-attr]
    assert victim.balance == 99_700


def test_deposits_above_the_cap_are_refused_and_not_kept(victim: Player) -> None:
    answer = deposit(victim, 900_001, **KEY)
    assert code_of(answer) == (403, "DEPOSIT_LIMIT")
    assert (answer.json["balance"], answer.json["balance_max_cents"]) == (100_000, 1_000_000)
    assert deposit(victim, 900_000, **KEY).json["balance"] == 1_000_000


@pytest.mark.parametrize("amount", [0, -1, 10**12 + 1, 1.5, "5", True, None])
def test_odd_amounts_are_refused(victim: Player, amount: Any) -> None:
    assert code_of(deposit(victim, amount)) == (400, "INVALID_REQUEST")
    assert victim.balance == 100_000
