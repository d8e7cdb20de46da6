"""What is wrong in itself counts by address; once too much of it came, nobody looks at a signature any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis

from runtime.auth import chains, p256, signatures
from runtime.clock import ManualClock
from runtime.game.breaker import State
from runtime.settings import Settings
from tests.attack.arena import Arena, open_arena
from tests.attack.attacker import Player, code_of
from tests.attack.conftest import SESSION_KEY, WALLET
from tests.functions.test_processor_deposits import SECRET

MOST = 5
ELSEWHERE = {"X_Forwarded_For": "198.51.100.9"}
LIMITED = (429, "RATE_LIMITED")


@pytest.fixture
def arena(settings: Settings, clock: ManualClock) -> Iterator[Arena]:
    """Return an arena that takes few refusals."""
    settings = replace(settings, processor_secret=SECRET)
    with open_arena(settings, clock, refusals_per_minute=MOST) as opened:
        yield opened


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return the texts whose signatures were looked at."""
    texts: list[bytes] = []
    recover, verify = signatures.recover, p256.verify

    def note(message: bytes, signature: bytes) -> str | None:
        texts.append(message)
        return recover(message, signature)

    def note_of_key(key: str, message: bytes, signature: bytes) -> bool:
        texts.append(message)
        return verify(key, message, signature)

    monkeypatch.setattr(chains, "recover", note)
    monkeypatch.setattr(p256, "verify", note_of_key)
    return texts


def wrong_signature(player: Player) -> Any:
    return player.place(player.bet() | {"signature": player.bet()["signature"]})


WRONG: list[Any] = [
    pytest.param(wrong_signature, "INVALID_SIGNATURE", id="wrong signature"),
    pytest.param(lambda player: player.place(b"{"), "INVALID_REQUEST", id="no JSON"),
    pytest.param(lambda player: player.place(b"x" * 70_000), "BODY_TOO_LARGE", id="too long"),
    pytest.param(lambda player: player.place({"amount": 1}), "INVALID_REQUEST", id="fields missing"),
    pytest.param(
        lambda player: player.place(player.bet(), Content_Type="text/plain"),
        "UNSUPPORTED_MEDIA_TYPE",
        id="no JSON type",
    ),
    pytest.param(lambda player: player.place(player.bet(cell_id="1_2_3")), "CELL_UNKNOWN", id="unknown cell"),
    pytest.param(lambda player: player.place(player.bet(columns=1)), "CELL_CLOSED", id="closed cell"),
    pytest.param(lambda player: player.place(player.bet(amount=101)), "STAKE_NOT_ALLOWED", id="odd stake"),
    pytest.param(lambda player: player.place(player.bet(timestamp=1)), "SIGNATURE_EXPIRED", id="old"),
    pytest.param(lambda player: player.place(player.bet(), token="A" * 43), "UNAUTHENTICATED", id="guessed token"),
    pytest.param(
        lambda player: player.withdraw(player.withdrawal(key=SESSION_KEY)), "INVALID_SIGNATURE", id="withdrawal"
    ),
    pytest.param(
        lambda player: player.send("/api/processor/deposits", {"user_id": "x", "amount": 1, "reference": "r"}),
        "INVALID_SIGNATURE",
        id="processor",
    ),
]


@pytest.mark.parametrize(("send", "code"), WRONG)
def test_every_kind_of_wrong_request_counts_until_none_is_looked_at(
    arena: Arena, victim: Player, verified: list[bytes], send: Callable[[Player], Any], code: str
) -> None:
    answers = [send(victim) for _ in range(MOST)]
    assert {answer.json["code"] for answer in answers} == {code}
    assert [f'"refusals";r={left};t=' in answers[MOST - 1 - left].headers["ratelimit"] for left in range(MOST)] == [
        True
    ] * MOST
    del verified[:]
    assert code_of(send(victim)) == LIMITED
    refused = victim.place(victim.bet())
    assert code_of(refused) == LIMITED
    assert (refused.json["bucket"], refused.headers["retry-after"]) == ("refusals", "40")
    assert verified == []
    assert victim.place(victim.bet(rows=1), **ELSEWHERE).status_code == 201
    arena.advance(40_000)
    assert victim.place(victim.bet(rows=2)).status_code == 201


def test_what_the_writer_or_the_queue_refuses_is_no_refusal_of_this_kind(arena: Arena, victim: Player) -> None:
    bet = victim.bet()
    codes = [code_of(victim.place(bet))[1] for _ in range(MOST)]
    codes += [code_of(victim.place(victim.bet()))[1] for _ in range(MOST)]
    assert codes == ["", *["REPLAYED_NONCE"] * (MOST - 1), *["DUPLICATE_BET"] * MOST]
    arena.one.market.breaker = replace(arena.one.market.breaker, state=State.CRITICAL)
    assert [code_of(victim.place(victim.bet(rows=1)))[0] for _ in range(MOST + 1)] == [503] * (MOST + 1)
    arena.refresh()
    assert victim.place(victim.bet(rows=1)).status_code == 201


def test_a_wallet_that_has_used_up_its_bets_is_refused_before_its_signature_too(
    settings: Settings, clock: ManualClock, verified: list[bytes]
) -> None:
    with open_arena(settings, clock, bets_per_minute=2) as arena:
        player = Player(arena, WALLET, SESSION_KEY).log_in()
        answers = [player.place(player.bet(rows=row)) for row in range(3)]
        assert [answer.status_code for answer in answers] == [201, 201, 429]
        assert len(verified) == 3
        again = player.place(player.bet(rows=3))
        for refused in (answers[2], again):
            assert (refused.json["bucket"], refused.headers["ratelimit"]) == ("bets", '"bets";r=0;t=40')
        assert len(verified) == 3
        arena.advance(40_000)
        assert player.place(player.bet()).status_code == 201


def test_every_process_knows_after_one_more(arena: Arena, victim: Player) -> None:
    for _ in range(MOST):
        wrong_signature(victim)
    there = [code_of(victim.place(b"{", instance=arena.two)) for _ in range(2)]
    assert there == [(400, "INVALID_REQUEST"), LIMITED]


def test_a_good_tap_asks_redis_for_nothing_more(
    arena: Arena, victim: Player, attacker: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(MOST + 1):
        attacker.place(b"{", **ELSEWHERE)
    assert victim.place(victim.bet()).status_code == 201
    limiter = arena.one.limiter
    monkeypatch.setattr(limiter, "_script", None)  # any question would fail
    assert victim.place(victim.bet(rows=1)).status_code == 201
    assert code_of(attacker.place(b"{", **ELSEWHERE)) == LIMITED


def test_without_redis_a_wrong_tap_is_refused_for_what_it_is(arena: Arena, victim: Player) -> None:
    def away(**_: Any) -> None:
        raise redis.ConnectionError

    arena.one.limiter._script = away
    assert code_of(victim.place(b"{")) == (400, "INVALID_REQUEST")


def test_wrong_logins_and_guessed_tokens_end_in_429_too(settings: Settings, clock: ManualClock) -> None:
    with open_arena(settings, clock, logins_per_minute=MOST, requests_per_minute=MOST) as arena:
        player = Player(arena, WALLET)
        logins = [code_of(player.send("/api/auth/login", {"message": "x", "signature": "0x"})) for _ in range(MOST + 1)]
        player.token = "A" * 43
        guesses = [code_of(player.get("/api/me")) for _ in range(MOST + 1)]
    assert logins == [(400, "INVALID_REQUEST")] * MOST + [LIMITED]
    assert guesses == [(401, "UNAUTHENTICATED")] * MOST + [LIMITED]
