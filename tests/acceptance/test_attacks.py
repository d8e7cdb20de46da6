"""Attacks that need real processes: a hundred at once, two API processes that share a session, and the log files."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from runtime.auth.sessions import session_id
from taptrade.wallet import sign_login, sign_withdrawal
from tests.acceptance.crowd import CLOCK, NOT_NOW, Player, at_once, code_of
from tests.acceptance.system import System
from tests.waiting import wait_until

AT_ONCE = 100
REVOKED_WITHIN_S = 1.0
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Run one system with two API processes that log everything."""
    data = tmp_path_factory.mktemp("attacks") / "data"
    with System(data, api_workers="2", log_level="DEBUG", column_seconds="5") as running:
        yield running
        report = running.audit()
        assert report.ok, report.faults


def test_of_a_hundred_with_one_nonce_one_is_placed(system: System) -> None:
    player = Player(system)

    def race() -> dict[str, Any] | None:
        [signed] = player.signed_bets(1)
        answers = at_once([lambda: player.send("POST", "/api/bets", signed)] * AT_ONCE)
        # Who finds no room is turned away before anybody looks at the nonce.
        answers = [answer for answer in answers if code_of(answer) != "OVERLOADED"]
        codes = Counter(code_of(answer) for answer in answers)
        assert codes.total() > AT_ONCE // 2, codes
        assert codes.total() - codes["REPLAYED_NONCE"] == 1, codes
        [first] = [answer for answer in answers if code_of(answer) != "REPLAYED_NONCE"]
        if code_of(first) in NOT_NOW:
            return None
        assert first.status_code == 201, first.text
        placed: dict[str, Any] = first.json()["bet"]
        for answer in answers:
            problem = answer.json()
            if answer is not first:
                assert placed in (problem["bet"], problem["bet"] or placed)
                assert problem["bet"] is not None or (problem["bet_id"], problem["outcome"]) == (
                    placed["id"],
                    "unknown",
                )
        again = player.send("POST", "/api/bets", signed)
        assert (code_of(again), again.json()["bet"]["id"]) == ("REPLAYED_NONCE", placed["id"])
        return placed

    placed = wait_until(race, 30)
    assert placed is not None
    live = "SELECT id FROM bets WHERE user_id = ? AND refusal_code IS NULL"
    assert player.rows(live) == [(placed["id"],)]
    assert player.rows("SELECT count(*) FROM transaction_ledger WHERE ref_type = 'BET' AND user_id = ?") == [(1,)]


def test_bets_at_once_never_overspend(system: System) -> None:
    player = Player(system)
    assert player.withdraw(player.balance - 1_050).status_code == 201
    placed = 0

    def wave() -> bool:
        nonlocal placed
        bets = player.signed_bets(40)
        answers = at_once([lambda bet=bet: player.send("POST", "/api/bets", bet) for bet in bets])  # type: ignore[misc]
        codes = Counter(code_of(answer) for answer in answers)
        assert codes.keys() <= {"201", "INSUFFICIENT_FUNDS", "DUPLICATE_BET", "OVERLOADED", *NOT_NOW}
        placed += codes["201"]
        return codes["INSUFFICIENT_FUNDS"] > 0

    wait_until(wave, 30, what="a wave of bets that runs into the end of the money")
    assert placed == 10
    spent = player.rows("SELECT sum(amount) FROM transaction_ledger WHERE ref_type = 'BET' AND user_id = ?")
    assert spent == [(-1_000,)]


def test_twenty_deposits_with_one_key_are_one(system: System) -> None:
    player = Player(system)
    assert player.withdraw(500_000).status_code == 201
    body = {"amount": 777}
    answers = at_once([lambda: player.send("POST", "/api/deposits", body, Idempotency_Key="key-1")] * 20)
    assert [answer.status_code for answer in answers] == [201] * 20
    assert len({answer.content for answer in answers}) == 1
    assert player.balance == 500_777
    other = player.send("POST", "/api/deposits", {"amount": 778}, Idempotency_Key="key-1")
    assert (other.status_code, code_of(other)) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_twenty_withdrawals_with_one_key_are_one(system: System) -> None:
    player = Player(system)
    body = sign_withdrawal(player.wallet, 777, system.audience.chain_id, CLOCK.now_ms())
    answers = at_once([lambda: player.send("POST", "/api/withdrawals", body, Idempotency_Key="key-1")] * 20)
    done = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.content for answer in done}) == 1
    taken = done[0].json()["withdrawal"]["id"]
    for answer in answers:  # the rest came while the first was under way
        assert answer in done or (code_of(answer), answer.json()["used_by"]) == ("REPLAYED_NONCE", taken)
    again = player.send("POST", "/api/withdrawals", body, Idempotency_Key="key-1")
    assert (again.status_code, again.content) == (201, done[0].content)
    assert player.rows("SELECT id FROM withdrawals WHERE user_id = ?") == [(taken,)]
    assert player.balance == 1_000_000 - 777


def test_a_revoked_session_key_places_nothing_after_a_second_in_any_process(system: System) -> None:
    player = Player(system)
    bets = player.signed_bets(40)
    warm = [player.send("GET", "/api/me").status_code for _ in range(12)]  # both processes know the session now
    assert set(warm) == {200}
    with system.client() as owner:
        owner.login(sign_login(player.wallet, None, system.audience, CLOCK.now_ms()))
        headers = {"Authorization": f"Bearer {owner.token}"}
        url = f"{system.url}/api/me/sessions/{session_id(player.token)}"
        assert httpx.delete(url, headers=headers, trust_env=False).status_code == 204
    revoked_s = time.monotonic()
    late: list[int] = []

    def all_sent() -> bool:
        sent_s = time.monotonic()
        status = player.send("POST", "/api/bets", bets.pop()).status_code
        if sent_s - revoked_s >= REVOKED_WITHIN_S:
            late.append(status)
        else:
            bets.append(player.signed_bets(1)[0])
        return len(late) >= 20

    wait_until(all_sent, 30, every_s=0.01)
    assert set(late) == {401}


def test_a_key_of_one_player_places_nothing_under_anothers_session(system: System) -> None:
    victim, attacker = Player(system), Player(system)
    for signer in (victim.wallet, victim.key):
        [signed] = attacker.signed_bets(1, signer)
        assert code_of(attacker.send("POST", "/api/bets", signed)) == "INVALID_SIGNATURE"
    assert attacker.rows("SELECT id FROM bets WHERE user_id = ?") == []


def test_no_log_file_holds_a_token_or_a_signature(system: System) -> None:
    player = Player(system)
    login = sign_login(player.wallet, player.key.address, system.audience, CLOCK.now_ms())
    bets = player.signed_bets(3)
    withdrawal = sign_withdrawal(player.wallet, 100, system.audience.chain_id, CLOCK.now_ms())
    token = player.token
    statuses = [
        player.send("POST", "/api/auth/login", login).status_code,
        player.send("POST", "/api/auth/login", login).status_code,  # a replay
        player.send("POST", "/api/bets", bets[0]).status_code,
        player.send("POST", "/api/bets", bets[0]).status_code,
        player.send("POST", "/api/bets", bets[1], Prefer="respond-async").status_code,
        player.send("POST", "/api/bets", {"signature": bets[2].signature, "token": token}).status_code,
        player.send("POST", "/api/bets", [bets[2], token]).status_code,
        player.send("POST", "/api/withdrawals", withdrawal).status_code,
        player.send("GET", f"/api/me?token={token}&signature={withdrawal.signature}").status_code,
        player.send("GET", f"/api/bets/{token}").status_code,
        player.send("GET", f"/{token}").status_code,
        player.send("GET", "/api/me", Cookie=f"taptrade_session={token}", Authorization="Basic " + token).status_code,
        player.send("POST", "/api/auth/logout").status_code,
        player.send("POST", "/api/auth/logout").status_code,
    ]
    assert max(statuses) < 500
    system.stop()
    try:
        texts = {path: path.read_bytes() for path in (system.data / "logs").iterdir()} | {
            system.log: system.log.read_bytes()
        }
    finally:
        system.start()
    assert any(path.name == "api.log" and text for path, text in texts.items())
    secrets = [token, login.signature, withdrawal.signature, *(bet.signature for bet in bets)]
    for path, text in texts.items():
        for secret in secrets:
            assert secret.encode() not in text, path
            assert secret.removeprefix("0x").encode() not in text, path
