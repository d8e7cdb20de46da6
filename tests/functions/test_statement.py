"""Deposits, withdrawals and the statement as they are listed: newest first, paged, filtered, as a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from falcon import testing

from runtime.addresses import to_checksum_address
from runtime.clock import rfc3339
from runtime.messaging.commands import CompleteWithdrawal, Deposit, ReverseWithdrawal
from tests.attack.arena import Arena
from tests.attack.attacker import Player, code_of


@pytest.fixture
def player(arena: Arena) -> Player:
    """Return a signed-in player."""
    return Player(arena, b"\x11" * 32, b"\x22" * 32).log_in()


def pages(player: Player, path: str, rows: str, limit: int) -> list[list[str]]:
    """Go through a list; the ids of each page."""
    found, cursor = [], ""
    while True:
        answer = player.get(f"{path}?limit={limit}{cursor}")
        found.append([row["id"] for row in answer.json[rows]])
        if answer.json["next_cursor"] is None:
            return found
        cursor = f"&cursor={answer.json['next_cursor']}"


def test_deposits_and_withdrawals_are_listed_newest_first_page_by_page(arena: Arena, player: Player) -> None:
    for number in range(3):
        arena.advance(1_000)
        assert player.withdraw(player.withdrawal(amount=100 + number)).status_code == 201
        assert player.send("/api/deposits", {"amount": 10 + number}).status_code == 201
    taken = player.get("/api/withdrawals").json["withdrawals"]
    assert [row["amount"] for row in taken] == [102, 101, 100]
    assert {row["to_address"] for row in taken} == {to_checksum_address(player.wallet)}
    assert {(row["status"], row["resolved_at"]) for row in taken} == {("pending", None)}
    given = player.get("/api/deposits").json["deposits"]
    assert [row["amount"] for row in given] == [12, 11, 10, 1_000_000]
    for path, rows, whole in (("/api/withdrawals", "withdrawals", taken), ("/api/deposits", "deposits", given)):
        found = pages(player, path, rows, 2)
        assert [len(page) for page in found] == [2, len(whole) - 2]
        assert [one for page in found for one in page] == [row["id"] for row in whole]
        assert code_of(player.get(f"{path}?cursor=x"))[0] == 400


def test_a_withdrawal_looks_the_same_wherever_its_player_meets_it(arena: Arena, player: Player) -> None:
    answer = player.withdraw(player.withdrawal(amount=300))
    shown = answer.json["withdrawal"]
    assert answer.json == {"withdrawal": shown, "balance": 999_700}
    assert shown == {
        "id": shown["id"],
        "amount": 300,
        "to_address": to_checksum_address(player.wallet),
        "status": "pending",
        "requested_at": rfc3339(arena.now_ms),
        "requested_ms": arena.now_ms,
        "resolved_at": None,
        "resolved_ms": None,
        "reference": None,
    }
    assert player.get("/api/withdrawals").json["withdrawals"] == [shown]
    requested_ms = arena.now_ms
    arena.advance(5_000)
    resolve(arena, shown["id"])
    [ended] = player.get("/api/withdrawals").json["withdrawals"]
    assert ended == shown | {
        "status": "completed",
        "resolved_at": rfc3339(arena.now_ms),
        "resolved_ms": requested_ms + 5_000,
        "reference": "tx-1",
    }


def resolve(arena: Arena, withdrawal_id: str, kind: Any = CompleteWithdrawal) -> None:
    """End a withdrawal as an operator does."""
    now_ms = arena.now_ms
    times: dict[str, Any] = {"id": arena.desk.new_id(), "received_ms": now_ms, "decided_by_ms": now_ms + 10_000}
    command = kind(withdrawal_id=withdrawal_id, who="ann", why="looks odd", reference="tx-1", **times)
    assert arena.desk.do(command)[0].code is None


def test_a_deposit_is_answered_as_it_is_listed(arena: Arena, player: Player) -> None:
    player.withdraw(player.withdrawal(amount=900_000))
    answer = player.send("/api/deposits", {"amount": 500}, Idempotency_Key="key-1")
    [newest, _] = player.get("/api/deposits").json["deposits"]
    assert answer.json == {
        "deposit": newest,
        "ledger_id": newest["id"],
        "amount": 500,
        "balance": 100_500,
        "reference": newest["ref_id"],
    }
    assert (newest["balance_after"], newest["created_at"]) == (100_500, rfc3339(arena.now_ms))
    arena.advance(1_000)
    player.send("/api/deposits", {"amount": 1})
    assert player.send("/api/deposits", {"amount": 500}, Idempotency_Key="key-1").json == answer.json


def test_a_player_is_not_told_who_of_the_staff_did_it_and_why(arena: Arena, player: Player) -> None:
    taken = player.withdraw(player.withdrawal()).json["withdrawal"]["id"]
    resolve(arena, taken, ReverseWithdrawal)
    shown = [player.get(path).text for path in ("/api/ledger", "/api/deposits", "/api/withdrawals")]
    assert [word for word in ('"ann"', "looks odd", '"who"', '"why"') if word in "".join(shown)] == []
    assert statement(player, "ref_type=WITHDRAWAL_REVERSAL").json["entries"][0]["metadata"] == {"reference": "tx-1"}


def statement(player: Player, query: str = "", **headers: str) -> testing.Result:
    """Ask for the statement."""
    given = {"Authorization": f"Bearer {player.token}", **headers}
    return player.arena.one.client.simulate_get("/api/ledger", query_string=query, headers=given)


def test_what_an_operator_wrote_is_no_formula_in_a_spreadsheet(arena: Arena, player: Player) -> None:
    times: dict[str, Any] = {
        "id": arena.desk.new_id(),
        "received_ms": arena.now_ms,
        "decided_by_ms": arena.now_ms + 10_000,
    }
    reference = "=HYPERLINK(A1);@x"
    command = Deposit(user_id=player.user_id, amount=5, reference=reference, who="ann", why="wire", **times)
    assert arena.desk.do(command)[0].code is None
    sheet = statement(player, "limit=1", Accept="text/csv")
    [row] = csv.DictReader(io.StringIO(sheet.text))
    assert (row["ref_id"], row["amount_cents"]) == ("'=HYPERLINK(A1);'@x", "5")
    assert statement(player, "limit=1").json["entries"][0]["ref_id"] == reference


def test_the_statement_is_filtered_and_written_as_a_spreadsheet(arena: Arena, player: Player) -> None:
    start_ms = arena.now_ms
    arena.advance(1_000)
    bet = player.place(player.bet()).json["bet"]["id"]
    arena.advance(1_000)
    player.withdraw(player.withdrawal())
    kinds = [entry["ref_type"] for entry in statement(player).json["entries"]]
    assert kinds == ["WITHDRAWAL", "BET", "DEPOSIT"]
    for query, expected in (
        ("ref_type=BET", ["BET"]),
        (f"ref_id={bet}", ["BET"]),
        (f"from={start_ms + 1_000}", ["WITHDRAWAL", "BET"]),
        (f"to={start_ms + 1_000}", ["DEPOSIT"]),
        (f"from={start_ms + 1_000}&to={start_ms + 2_000}", ["BET"]),
        ("ref_id=' OR 1=1 --", []),
    ):
        assert [entry["ref_type"] for entry in statement(player, query).json["entries"]] == expected
    assert code_of(statement(player, "ref_type=BETS"))[0] == 400
    sheet = statement(player, "limit=2", Accept="text/csv")
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(sheet.text)))
    shown = [(row["ref_type"], row["amount_cents"], row["balance_after_cents"]) for row in rows]
    assert shown == [("WITHDRAWAL", "-100", "999800"), ("BET", "-100", "999900")]
    for accept, kind in {"text/html;q=0.9, text/csv": "text/csv", "text/csv;q=0.1, */*": "application/json"}.items():
        assert statement(player, Accept=accept).headers["content-type"].startswith(kind)
    last = statement(player, f"limit=2&cursor={sheet.headers['x-next-cursor']}", Accept="text/csv")
    assert last.headers["x-next-cursor"] == ""
    assert [row["ref_type"] for row in csv.DictReader(io.StringIO(last.text))] == ["DEPOSIT"]
