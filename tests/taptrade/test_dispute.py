"""`taptrade dispute`: a statement of a span of time whose totals add up, or that says where they do not."""

from __future__ import annotations

import csv
import io
from argparse import ArgumentTypeError
from typing import Any

import pytest

from runtime.clock import rfc3339
from runtime.game.player_entries import EVERY
from runtime.messaging.commands import Deposit
from taptrade.books import find_account, moment
from taptrade.case import collect
from tests.jobs.court import START_MS
from tests.jobs.signed_play import SignedPlay
from tests.jobs.writer_desk import PRICE_CENTS
from tests.runtime.auth.logins import WALLET
from tests.taptrade.office import Office

NOON_MS = 1_790_000_000_000


def deposit(play: SignedPlay, reference: str, amount: int = 500) -> None:
    now_ms = play.desk.clock.now_ms()
    play.desk.do(
        Deposit(
            id=play.desk.new_id(),
            received_ms=now_ms,
            decided_by_ms=now_ms,
            user_id=play.user_id,
            amount=amount,
            reference=reference,
            who="ann",
            why="=1+1",
        )
    )


@pytest.fixture
def played(play: SignedPlay) -> SignedPlay:
    """Credit, two bets and a refused one, then a settlement and a deposit, in two spans of time."""
    play.desk.place(play.bet(), play.bet(rows=4), play.bet(rows=1, min_rate_bp=900_000))
    play.end(PRICE_CENTS)
    deposit(play, "=wire")
    return play


def test_a_whole_account_adds_up(office: Office, played: SignedPlay) -> None:
    said = office.run("dispute", WALLET, "--json")
    assert (said.code, said.err) == (0, "")
    case = said.json
    assert (case["user_id"], case["opening_balance"]) == (played.user_id, 0)
    assert case["closing_balance"] == played.desk.balance(played.user_id)
    assert case["adds_up"] is True
    sums = {kind: (each["count"], each["cents"]) for kind, each in case["totals"].items()}
    assert sums["BET"] == (2, -200)
    assert sums["DEPOSIT"] == (2, 1_000_500)
    assert sum(cents for _, cents in sums.values()) == case["closing_balance"]
    assert sorted(bet["bet"]["status"] for bet in case["bets"]) == ["lost", "refused", "won"]
    assert [len(bet["entries"]) for bet in case["bets"]] == [2, 1, 0]
    assert case["bets"][0]["explanation"].startswith("Won ")
    assert case["bets"][2]["explanation"].startswith("Refused with RATE_MOVED")
    assert case["entries"][-1]["explanation"] == "=wire, who ann, why =1+1"


def test_spans_follow_one_another_without_gap_or_overlap(office: Office, played: SignedPlay) -> None:
    middle = rfc3339(START_MS)
    before = office.run("dispute", played.user_id, "--to", middle, "--json").json
    after = office.run("dispute", played.user_id, "--from", middle, "--json").json
    assert before["closing_balance"] == after["opening_balance"] == 999_800
    assert set(before["totals"]) == {"DEPOSIT", "BET"}
    assert set(after["totals"]) == {"DEPOSIT", "PAYOUT"}
    # The bet was placed before the span, but its money moved in it.
    assert [bet["bet"]["status"] for bet in after["bets"]] == ["won"]
    empty = office.run("dispute", WALLET, "--from", "2026-01-01", "--to", "2026-01-02", "--json").json
    assert (empty["opening_balance"], empty["closing_balance"], empty["entries"]) == (0, 0, [])


def test_people_read_entries_bets_and_the_sum(office: Office, played: SignedPlay) -> None:
    said = office.run("dispute", WALLET)
    assert said.code == 0
    lines = [line.split("\t") for line in said.out.splitlines()]
    assert ["", "opening", "", "$0.00", ""] in lines
    assert "1 bets that moved no money:" in said.out
    assert ["BET", "2", "-$2.00"] in lines
    assert said.out.splitlines()[-1].endswith(": adds up")


def test_the_spreadsheet_has_a_row_for_each_entry_and_no_formulas(office: Office, played: SignedPlay) -> None:
    said = office.run("dispute", WALLET, "--csv")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert [row["ref_type"] for row in rows] == ["DEPOSIT", "BET", "BET", "PAYOUT", "DEPOSIT"]
    assert sum(int(row["amount"]) for row in rows) == played.desk.balance(played.user_id)
    assert (rows[3]["status"], rows[3]["stake"], rows[3]["window_low"]) == ("won", "100", str(PRICE_CENTS))
    assert (rows[4]["ref_id"], rows[4]["explanation"]) == ("'=wire", "'=wire, who ann, why =1+1")


def test_every_bet_can_be_proved(office: Office, played: SignedPlay) -> None:
    said = office.run("dispute", WALLET, "--verify", "--json")
    assert (said.code, [bet["proof"]["ok"] for bet in said.json["bets"]]) == (0, [True, True, True])
    played.by_hand("UPDATE bets SET nonce = 'other123' WHERE status = 'lost'")
    wrong = office.run("dispute", WALLET, "--verify")
    assert wrong.code == 1
    assert "its proof does not hold" in wrong.err


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("UPDATE transaction_ledger SET amount = amount + 5 WHERE ref_type = 'PAYOUT'", "the running sum is"),
        ("UPDATE users SET balance = balance + 5", "its last entry leaves"),
        ("DELETE FROM transaction_ledger WHERE ref_type = 'PAYOUT'", "the running sum is"),
    ],
)
def test_what_does_not_add_up_is_told(office: Office, played: SignedPlay, sql: str, sentence: str) -> None:
    played.by_hand(sql)
    said = office.run("dispute", WALLET)
    assert said.code == 1
    assert "WRONG: " in said.err
    assert sentence in said.err
    assert office.run("dispute", WALLET, "--json").json["adds_up"] is False


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("0x" + "9" * 40,), "there is no account"),
        (("me",), "neither a user id nor a wallet"),
        ((WALLET, "--from", "yesterday"), "'yesterday' is no moment; write 2026-01-06"),
        ((WALLET, "--from", "2026-02-01", "--to", "2026-01-01"), "ends before it begins"),
        ((WALLET, "--json", "--csv"), "not allowed with"),
    ],
)
def test_wrong_questions_are_refused(
    office: Office, play: SignedPlay, arguments: tuple[str, ...], sentence: str
) -> None:
    said = office.run("dispute", *arguments)
    assert (said.code, sentence in said.err) == (2, True), said.err


def test_the_entries_of_a_span_are_one_indexed_read(played: SignedPlay) -> None:
    database = played.desk.database
    account = find_account(database, played.user_id)
    asked: list[tuple[str, Any]] = []
    execute = database.execute

    def watched(sql: str, params: Any = ()) -> list[tuple[Any, ...]]:
        asked.append((sql, params))
        return execute(sql, params)

    database.execute = watched  # type: ignore[method-assign]
    collect(database, account, 0, NOON_MS + 10**9)
    assert [params[-1] for sql, params in asked if 'whole."key" = entry."key"' in sql].count(EVERY) == 1
    for sql, params in asked:
        steps = [row[3] for row in execute(f"EXPLAIN QUERY PLAN {sql}", params)]
        read = [step for step in steps if step.startswith(("SEARCH", "SCAN"))]
        assert read, (sql, steps)
        assert all(step.startswith("SEARCH") or step == "SCAN walk" for step in read), (sql, steps)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-09-21T14:13:20Z", NOON_MS),
        ("2026-09-21T14:13:20", NOON_MS),
        ("2026-09-21T16:13:20.000+02:00", NOON_MS),
        ("1790000000000", NOON_MS),
        ("2026-09-21", NOON_MS - (14 * 3600 + 13 * 60 + 20) * 1000),
    ],
)
def test_moments_are_read_as_utc(text: str, ms: int) -> None:
    assert moment(text) == ms


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "'' is no moment"),
        ("noon", "'noon' is no moment"),
        ("2026-13-01", "'2026-13-01' is no moment"),
        ("2026-01-06T12:00:00+99:00", "is no moment"),
        ("1969-12-31", "is not between 1970 and 9999"),
        ("0001-01-01", "is not between 1970 and 9999"),
        ("253402300800000", "is not between 1970 and 9999"),
        ("9" * 5_000, "is not between 1970 and 9999"),
    ],
)
def test_what_is_no_moment_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ArgumentTypeError) as refused:
        moment(text)
    assert sentence in str(refused.value)
    assert str(refused.value).endswith("write 2026-01-06, 2026-01-06T12:30:00Z or Unix milliseconds; UTC")
