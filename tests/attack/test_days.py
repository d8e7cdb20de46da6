"""What a wallet may ask for in a day: each of it leaves rows for ever."""

from __future__ import annotations

from runtime.clock import ManualClock
from runtime.settings import Settings
from tests.attack.arena import open_arena
from tests.attack.attacker import Player, code_of
from tests.attack.conftest import WALLET
from tests.attack.test_idempotency import KEY, deposit


def test_what_a_key_answers_again_does_not_count_as_another_of_the_day(settings: Settings, clock: ManualClock) -> None:
    with open_arena(settings, clock, deposits_per_day=2, withdrawals_per_day=3) as arena:
        player = Player(arena, WALLET).log_in()
        body = player.withdrawal(amount=300)
        withdrawal = [player.withdraw(body, **KEY) for _ in range(5)]
        deposits = [deposit(player, 50, **KEY) for _ in range(5)]
        for answers, left in ((withdrawal, 2), (deposits, 1)):
            assert [answer.json for answer in answers] == [answers[0].json] * 5
            assert f'";r={left};t=' in answers[0].headers["ratelimit"]
        more = [deposit(player, 50) for _ in range(2)]
        more += [player.withdraw(player.withdrawal(amount=300)) for _ in range(3)]
        assert [answer.status_code for answer in more] == [201, 429, 201, 201, 429]
        assert [more[at].json["bucket"] for at in (1, 4)] == ["deposits", "withdrawals"]
        assert (arena.count("withdrawals"), arena.count("idempotency_keys")) == (3, 2)


def test_bets_that_the_writer_refuses_are_counted_by_day(settings: Settings, clock: ManualClock) -> None:
    with open_arena(settings, clock, refused_bets_per_day=3) as arena:
        player = Player(arena, WALLET).log_in()
        taken = player.place(player.bet())
        refused = [player.place(player.bet()) for _ in range(3)]
        assert (taken.status_code, {code_of(one)[1] for one in refused}) == (201, {"DUPLICATE_BET"})
        assert '"refused_bets";r=0;t=' in refused[2].headers["ratelimit"]
        beyond = player.place(player.bet(rows=1))
        assert (code_of(beyond), beyond.json["bucket"]) == ((429, "RATE_LIMITED"), "refused_bets")
        assert arena.count("bets") == 4
        assert player.place(player.bet(rows=1), instance=arena.two).status_code == 201  # where nobody has heard of it
        arena.advance(86_400_000)
        player.log_in()
        assert player.place(player.bet()).status_code == 201
