"""A house of two ledgers as it runs: players of both from login to payout, and what operators ask about all of it."""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from random import Random
from typing import Any, Self

import httpx
import pytest

from runtime.audit.roots import ROOTS_FOLDER, read_roots
from runtime.clock import SystemClock
from runtime.game.shards import shard_of
from runtime.messaging.queues import new_id
from taptrade.choice import Chooser
from taptrade.client import ApiError
from taptrade.client.steps import delay_s
from taptrade.wallet import new_wallet, sign_login, sign_withdrawal
from tests.acceptance.patience import PatientClient
from tests.acceptance.system import STEADY, System
from tests.acceptance.test_play import check_statement, is_settled, tap
from tests.chaos.stage import Scenario, Stage, run
from tests.postgres import Postgres
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(240)


class Player:
    """A wallet with its session key, signed in."""

    def __init__(self, system: System) -> None:
        self.wallet, self.key = new_wallet(), new_wallet()
        self.client = PatientClient(system.url)
        self.sign_in(system)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def sign_in(self, system: System) -> None:
        self.user_id = wait_until(lambda: self._signed_in(system), 30, every_s=1, what="a session")

    def _signed_in(self, system: System) -> str:
        """Sign in; return the account, nothing where the house is too busy to say."""
        signed = sign_login(self.wallet, self.key.address, system.audience, SystemClock().now_ms())
        try:
            return self.client.login(signed).user.id
        except ApiError as ex:
            if delay_s(ex) is None:
                raise
            return ""


def taptrade(system: System, *words: str) -> Any:
    """Run a command as an operator does; what it prints as JSON."""
    done = subprocess.run(
        [system.python, "-m", "taptrade", *words, "--json"], env=system.variables, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    return json.loads(done.stdout)


def shard_of_user(system: System, user_id: str) -> int:
    with system.database() as database:
        return shard_of(database.execute("SELECT seq FROM users WHERE id = ?", (user_id,))[0][0])


def ids_of_events(player: Player, cursor: str, count: int) -> list[tuple[str, str]]:
    """Return type and id of so many events that a player's stream tells from a cursor on."""
    headers = {"Authorization": f"Bearer {player.client.token}"} | ({"Last-Event-ID": cursor} if cursor else {})
    found: list[tuple[str, str]] = []
    kind = ""
    with httpx.stream("GET", f"{player.client.url}/api/stream?events=bet", headers=headers, timeout=20) as answer:
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "id":
                found.append((kind, value))
            if len(found) == count:
                break
    return found


def test_a_shard_is_added_while_players_play_and_the_operator_sees_one_house(postgres: Postgres) -> None:
    others: list[str] = []
    """What the count says of bets that are none of the crowd's, as it reads all shards."""

    def add_another(stage: Stage) -> None:
        system = stage.system
        with ExitStack() as stack:
            one = stack.enter_context(Player(system))
            before = system.pids()
            assert taptrade(system, "shards", "add") == {"ok": True, "shard": 2, "writer_begun": True}
            wait_until(lambda: "writer-2" in system.pids(), what="the new shard's writer")
            two = first_of_second(system, stack)
            wait_until(system.is_well, 60, every_s=0.2, what="a house that is well")
            play_in_both(system, one, two)
            ask_as_operator(system, one, two)
            bets = [bet for each in (one, two) for bet in each.client.all_bets()]
            others.extend(f"a shard more: bet {bet.id} was never asked for" for bet in bets)
        # Both have begun anew without ending.
        assert "the house has 2 shards by now: begins anew" in (system.data / "logs" / "functions.log").read_text()
        assert [system.pids()[name] for name in ("api", "functions")] == [before[name] for name in ("api", "functions")]
        stage.crowd.wait_for_bets(10)

    told: list[str] = []
    settings = {**STEADY, "database_url": postgres.empty()}
    result = run(Scenario("a shard more", add_another, settings), 7, told.append)
    assert sorted(result.counting.sentences) == sorted(others), (result.data, told)
    assert {status for status, _ in result.codes} <= {201, 202, 409, 422, 503}, result.codes


def first_of_second(system: System, stack: ExitStack) -> Player:
    """Sign newcomers in until one is of the second shard: who does not know of it yet opens accounts where it can."""
    newcomers: list[Player] = []

    def is_there() -> bool:
        newcomers.append(stack.enter_context(Player(system)))
        return shard_of_user(system, newcomers[-1].user_id) == 2

    wait_until(is_there, 60, every_s=1, what="an account in the new shard")
    return newcomers[-1]


def play_in_both(system: System, one: Player, two: Player) -> None:
    """Tap, and follow streams, in both shards."""
    # Whoever comes again comes to the same account, wherever new ones go by now.
    before = two.user_id
    two.sign_in(system)
    assert two.user_id == before

    chooser = Chooser(Random(1))
    first_id = ids_of_events(two, "", 2)[1][1]
    bets = [tap(each.client, each.key, system, chooser) for each in (one, two)]
    wait_until(lambda: all(is_settled(each.client, bet.id) for each, bet in zip((one, two), bets, strict=True)), 40)
    # A stream goes on from its ids, which name the shard; one of the other shard's begins anew.
    seen = ids_of_events(two, first_id, 3)
    assert [kind for kind, _ in seen] == ["hello", "bet", "bet"]
    assert {shard_of(int(place.split(".")[2])) for _, place in seen[1:]} == {2}
    assert ids_of_events(two, seen[1][1], 2)[1][1].split(".")[2:] == seen[2][1].split(".")[2:]
    assert ids_of_events(one, seen[1][1], 2)[0][0] == "reset"
    for bet in bets:
        assert taptrade(system, "explain", bet.id)["proof"]["chain"]["ok"]


def ask_as_operator(system: System, one: Player, two: Player) -> None:
    """Pay in and out, and ask what there is to ask."""
    who = ("--who", "me", "--why", "paid")
    paid = taptrade(system, "deposit", two.user_id, "500", "--reference", "bank-1", *who)
    assert paid["amount"] == 500
    with pytest.raises(AssertionError, match="REFERENCE_USED"):
        taptrade(system, "deposit", one.user_id, "500", "--reference", "bank-1", *who)
    withdraw(system, two)
    [listed] = [each for each in taptrade(system, "withdrawal", "list") if two.user_id in each.values()]
    done = taptrade(system, "withdrawal", "complete", listed["id"], "--reference", "wire-1", *who)
    assert done["withdrawal"]["status"] == "completed"
    for each in (one, two):
        assert taptrade(system, "dispute", each.user_id, "--verify")["adds_up"]
        check_statement(each.client, system, {})
    shown = taptrade(system, "shards")
    assert shown[1]["accounts"] == 1
    assert all(row["bets"] for row in shown)
    roots = list(read_roots(system.data / ROOTS_FOLDER))
    assert roots
    assert len(roots[-1].numbers) == 2


def withdraw(system: System, player: Player) -> None:
    now_ms = SystemClock().now_ms()
    signed = sign_withdrawal(player.wallet, 200, system.audience.chain_id, now_ms)
    player.client.withdraw(signed, new_id(now_ms))
