"""What an operator decides by the page: what it does to the money, and who and why as they are kept."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.audit import audit
from runtime.game.breaker import CLOSED_MS, OVERRIDE_MS_MAX
from tests.attack.arena import Arena
from tests.attack.attacker import Player
from tests.attack.operator import WHY, Operator
from tests.jobs.long_shots import OWN, closed, settle_all, win

ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.fixture
def pending(operated: Arena) -> str:
    """Return the id of a player's withdrawal that waits."""
    player = Player(operated, b"\x11" * 32).log_in()
    result = player.send("/api/withdrawals", player.withdrawal(amount=2_500))
    assert result.status_code == 201, result.text
    return str(result.json["withdrawal"]["id"])


def stored(operated: Arena, sql: str) -> list[Any]:
    return list(operated.desk.database.execute(sql))


def balance(operated: Arena) -> int:
    return int(stored(operated, "SELECT balance FROM users")[0][0])


def test_a_withdrawal_is_completed_once_with_who_why_and_reference(
    operated: Arena, operator: Operator, pending: str
) -> None:
    [listed] = operator.look("withdrawals")["withdrawals"]
    assert (listed["id"], listed["status"], listed["amount"], listed["who"]) == (pending, "pending", 2_500, None)
    before, entries = balance(operated), operated.count("transaction_ledger")
    body = {"reference": "tx-1", "why": f"  {WHY} "}
    answers = [operator.ask("POST", f"withdrawals/{pending}/complete", body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    done = answers[0].json["withdrawal"]
    assert answers[1].json["withdrawal"] == done
    assert (done["status"], done["reference"], done["who"], done["why"]) == ("completed", "tx-1", operator.shown, WHY)
    assert (balance(operated), operated.count("transaction_ledger")) == (before, entries), "it moves nothing"
    assert operator.look("withdrawals")["withdrawals"] == []
    assert operator.look("withdrawals?status=completed")["withdrawals"] == [done]
    assert stored(operated, "SELECT who, why FROM withdrawals") == [(operator.shown, WHY)]
    assert audit(operated.desk.database).ok


def test_a_withdrawal_is_reversed_once_and_the_money_is_back(operated: Arena, operator: Operator, pending: str) -> None:
    before = balance(operated)
    body = {"reference": "back-1", "why": WHY}
    for _ in range(2):
        result = operator.ask("POST", f"withdrawals/{pending}/reverse", body)
        assert (result.status_code, result.json["withdrawal"]["status"]) == (200, "reversed")
    assert balance(operated) == before + 2_500
    [(amount, metadata)] = stored(
        operated, "SELECT amount, metadata FROM transaction_ledger WHERE ref_type = 'WITHDRAWAL_REVERSAL'"
    )
    assert amount == 2_500
    assert operator.shown in metadata
    assert WHY in metadata
    other = operator.ask("POST", f"withdrawals/{pending}/complete", {"reference": "tx-2", "why": WHY})
    assert (other.status_code, other.json["code"]) == (409, "WITHDRAWAL_RESOLVED")
    assert [other.json["withdrawal"]] == operator.ask("GET", "withdrawals?status=all").json["withdrawals"]
    assert audit(operated.desk.database).ok


def test_players_are_not_told_who_ended_it(operated: Arena, operator: Operator, pending: str) -> None:
    operator.ask("POST", f"withdrawals/{pending}/reverse", {"reference": "back-1", "why": WHY})
    player = Player(operated, b"\x11" * 32).log_in()
    told = [player.get(path).text for path in ("/api/withdrawals", "/api/ledger")]
    assert "back-1" in told[0]
    assert not [text for text in told if operator.shown in text or WHY in text]


@pytest.mark.parametrize("path", [f"withdrawals/{ULID}/complete", "withdrawals/none/reverse"])
def test_there_is_no_such_withdrawal(operator: Operator, path: str) -> None:
    result = operator.ask("POST", path, {"reference": "r", "why": WHY})
    assert (result.status_code, result.json["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("words", "field"),
    [
        pytest.param({"why": ""}, "why", id="nothing"),
        pytest.param({"why": "ok"}, "why", id="too short"),
        pytest.param({"why": "  a   "}, "why", id="blanks around too little"),
        pytest.param({"why": "x" * 201}, "why", id="too long"),
        pytest.param({"why": "one\ntwo"}, "why", id="two lines"),
        pytest.param({"why": "left\u202eright"}, "why", id="not printable"),
        pytest.param({"reference": " "}, "reference", id="no reference"),
        pytest.param({"reference": "r" * 201}, "reference", id="a reference too long"),
        pytest.param({"who": "somebody"}, "who", id="another's name"),
    ],
)
def test_words_that_say_nothing_are_refused(
    operated: Arena, operator: Operator, pending: str, words: dict[str, str], field: str
) -> None:
    body = {"reference": "tx-1", "why": WHY} | words
    result = operator.ask("POST", f"withdrawals/{pending}/complete", body)
    assert (result.status_code, result.json["code"], result.json["field"]) == (400, "INVALID_REQUEST", field)
    assert stored(operated, "SELECT status FROM withdrawals") == [("pending",)]


def test_withdrawals_come_in_pages_oldest_first(operated: Arena, operator: Operator) -> None:
    player = Player(operated, b"\x11" * 32).log_in()
    for _ in range(3):
        operated.advance(1_000)
        assert player.send("/api/withdrawals", player.withdrawal()).status_code == 201
    first = operator.look("withdrawals?limit=2")
    second = operator.look(f"withdrawals?limit=2&cursor={first['next_cursor']}")
    asked = [one["requested_ms"] for page in (first, second) for one in page["withdrawals"]]
    assert (len(asked), asked) == (3, sorted(asked))
    assert second["next_cursor"] is None
    assert operator.look("withdrawals?status=all") == operator.look("withdrawals")
    assert operator.ask("GET", "withdrawals?cursor=x").status_code == 400


def test_the_breaker_is_opened_and_handed_back_with_who_and_why(operated: Arena, operator: Operator) -> None:
    player = Player(operated, b"\x11" * 32).log_in()
    result = operator.ask("POST", "breaker", {"override": "open", "why": WHY, "for_s": 600})
    assert (result.status_code, result.json["refuses_bets"]) == (200, True)
    assert result.json["override_until_ms"] == operated.now_ms + 600_000
    operated.one.market.synchronize(operated.desk.client, "0-0")
    assert player.place(player.bet()).json["code"] == "PRICE_FEED_STALE"
    operated.clock.advance(1)
    shown = operator.look("overview")["breaker"]
    assert (shown["override"], shown["who"], shown["why"]) == ("open", operator.shown, WHY)
    assert operator.ask("POST", "breaker", {"override": "auto", "why": "it is over"}).json["refuses_bets"] is False
    operated.one.market.synchronize(operated.desk.client, "0-0")
    assert player.place(player.bet()).status_code == 201
    operated.desk.work()
    kept = operator.look("overview")["overrides"]
    assert [(one["override"], one["who"], one["why"]) for one in kept] == [
        ("auto", operator.shown, "it is over"),
        ("open", operator.shown, WHY),
    ]
    assert [one["until_ms"] for one in kept] == [None, operated.now_ms - 1 + 600_000]
    assert audit(operated.desk.database).ok


def test_closed_always_ends(operated: Arena, operator: Operator) -> None:
    result = operator.ask("POST", "breaker", {"override": "closed", "why": WHY})
    assert result.json["override_until_ms"] == operated.now_ms + CLOSED_MS
    result = operator.ask("POST", "breaker", {"override": "closed", "why": WHY, "for_s": 60})
    assert result.json["override_until_ms"] == operated.now_ms + 60_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"override": "auto", "for_s": 60},
        {"override": "ajar"},
        {"override": "open", "for_s": 0},
        {"override": "open", "for_s": OVERRIDE_MS_MAX // 1000 + 1},
        {"override": "open", "why": "no"},
    ],
)
def test_a_wrong_word_on_the_breaker_changes_nothing(
    operated: Arena, operator: Operator, wrong: dict[str, Any]
) -> None:
    result = operator.ask("POST", "breaker", {"why": WHY} | wrong)
    assert (result.status_code, result.json["code"]) == (400, "INVALID_REQUEST")
    operated.desk.work()
    assert operated.count("breaker_overrides") == 0


def test_a_closed_bucket_is_shown_and_opened_again(operated: Arena, operator: Operator) -> None:
    assert operator.look("buckets")["buckets"] == []
    player = Player(operated, b"\x11" * 32).log_in()
    win(operated.desk, player.user_id, 30)
    settle_all(operated.desk)
    operator.log_in()
    shown = {one["bucket"]: one for one in operator.look("buckets")["buckets"]}
    one = shown[OWN.name]
    assert (one["standing"], one["who"], one["column"], one["closes_at"]) == ("closed", "house", OWN.distance, 10_000)
    assert one["e_value"] >= one["closes_at"]
    assert one["paid_back"] == one["paid_cents"] / one["staked_cents"] > 1
    result = operator.ask("POST", "buckets/open", {"bucket": OWN.name, "why": WHY})
    assert (result.status_code, result.json["bucket"]) == (200, OWN.name)
    assert closed(operated.desk) == []
    again = operator.ask("POST", "buckets/open", {"bucket": OWN.name, "why": WHY})
    assert (again.status_code, again.json["code"]) == (409, "BUCKET_OPEN")
    changes = "SELECT standing, who, why FROM bucket_changes ORDER BY changed_commit DESC, changed_place DESC LIMIT 1"
    assert stored(operated, changes) == [("open", operator.shown, WHY)]
    assert audit(operated.desk.database).ok


@pytest.mark.parametrize("bucket", ["20-50x", "1-2x/all", "20-50x/0", "20-50x/all; --"])
def test_there_is_no_such_bucket(operator: Operator, bucket: str) -> None:
    result = operator.ask("POST", "buckets/open", {"bucket": bucket, "why": WHY})
    assert (result.status_code, result.json["code"]) == (404, "NOT_FOUND")
