"""The operator's authority: money moves by the writer only, with who, why and a reference that works once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runtime.audit import audit
from runtime.game.statements import fill
from runtime.messaging.commands import SetLimits, Withdraw
from runtime.records.queries import QUERIES
from tests.jobs.writer_desk import Desk
from tests.taptrade.office import Office

WALLET = f"0x{1:040x}"
AUTHORITY = ("--who", "ann", "--why", "wire came in")


def withdrawal(desk: Desk, user_id: str, amount: int = 400) -> str:
    now_ms = desk.clock.now_ms()
    command = Withdraw(
        id=desk.new_id(),
        received_ms=now_ms,
        decided_by_ms=now_ms + 10_000,
        user_id=user_id,
        amount=amount,
        nonce=desk.new_id(),
        signed_at_s=1,
        signature="0x",
    )
    assert desk.do(command)[0].code is None
    return command.id


def entries(desk: Desk, ref_type: str) -> list[tuple[Any, ...]]:
    sql = "SELECT ref_id, amount, metadata FROM transaction_ledger WHERE ref_type = ? ORDER BY id"
    return [(ref, amount, json.loads(text)) for ref, amount, text in desk.database.execute(sql, (ref_type,))]


@pytest.mark.parametrize("by", ["wallet", "user_id", "lower"])
def test_a_deposit_is_credited_with_who_and_why(office: Office, by: str) -> None:
    user = office.desk.player(cents=0)
    account = {"wallet": WALLET, "user_id": user, "lower": user.lower()}[by]
    said = office.run("deposit", account, 1050, "--reference", "wire-7", *AUTHORITY)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"deposited $10.50: account {user} of {WALLET} holds $10.50 after entry ")
    assert entries(office.desk, "DEPOSIT") == [("wire-7", 1050, {"who": "ann", "why": "wire came in"})]
    stored = office.desk.database.execute("SELECT kind, reference, amount, who, why FROM operations")
    assert stored == [("deposit", "wire-7", 1050, "ann", "wire came in")]
    assert audit(office.desk.database).faults == []


def test_a_deposit_beyond_what_the_player_allows_is_refused(office: Office) -> None:
    user, now_ms = office.desk.player(), office.desk.clock.now_ms()
    until_ms = now_ms + 10**9
    times: dict[str, Any] = {"id": office.desk.new_id(), "received_ms": now_ms, "decided_by_ms": now_ms + 10_000}
    office.desk.do(SetLimits(user_id=user, excluded_until_ms=until_ms, **times))
    said = office.run("deposit", user, 500, "--reference", "wire-7", *AUTHORITY, "--json")
    assert (said.code, said.json["code"]) == (1, "LIMIT_REACHED")
    assert (said.json["limit"], said.json["until_ms"]) == ("excluded_until_ms", until_ms)


def test_the_same_reference_is_answered_as_the_first_time(office: Office) -> None:
    user = office.desk.player()
    arguments = ("deposit", user, 500, "--reference", "wire-7", *AUTHORITY, "--json")
    first = office.run(*arguments).json
    office.run("deposit", user, 1, "--reference", "wire-8", *AUTHORITY)
    again = office.run(*arguments)
    assert (again.code, again.json["ledger_id"], again.json["balance"]) == (0, first["ledger_id"], first["balance"])
    assert (first["balance"], again.json["repeat"]) == (1_000_500, True)
    assert "nothing moved now" in office.run(*arguments[:-1]).out
    assert office.desk.balance(user) == 1_000_501


def test_a_reference_used_for_something_else_is_refused(office: Office) -> None:
    user = office.desk.player()
    office.run("deposit", user, 500, "--reference", "wire-7", *AUTHORITY)
    said = office.run("deposit", user, 501, "--reference", "wire-7", *AUTHORITY)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("refused, REFERENCE_USED: ")
    told = office.run("deposit", user, 501, "--reference", "wire-7", *AUTHORITY, "--json")
    assert (told.code, told.json["ok"], told.json["code"]) == (1, False, "REFERENCE_USED")


@pytest.mark.parametrize(("cents", "balance"), [("-1050", 998_950), ("2000", 1_002_000)])
def test_an_adjustment_goes_both_ways(office: Office, cents: str, balance: int) -> None:
    user = office.desk.player()
    said = office.run("adjust", user, cents, "--reference", "ticket-3", *AUTHORITY)
    assert (said.code, office.desk.balance(user)) == (0, balance)
    assert office.run("adjust", user, cents, "--reference", "ticket-3", *AUTHORITY).code == 0
    assert office.desk.balance(user) == balance
    assert entries(office.desk, "ADJUSTMENT") == [("ticket-3", int(cents), {"who": "ann", "why": "wire came in"})]
    assert audit(office.desk.database).faults == []


def test_an_adjustment_never_goes_below_zero(office: Office) -> None:
    user = office.desk.player(cents=100)
    said = office.run("adjust", user, -101, "--reference", "ticket-3", *AUTHORITY)
    assert (said.code, "INSUFFICIENT_FUNDS" in said.err, office.desk.balance(user)) == (1, True, 100)


def test_a_withdrawal_is_listed_and_completed_once(office: Office) -> None:
    user = office.desk.player()
    one = withdrawal(office.desk, user)
    listed = office.run("withdrawal", "list")
    assert listed.code == 0
    head, line = (text.split("\t") for text in listed.out.splitlines())
    assert dict(zip(head, line, strict=True)) == {
        "id": one,
        "requested": "2026-09-21T14:13:20.000Z",
        "to": WALLET,
        "amount": "$4.00",
        "status": "pending",
        "reference": "",
        "who": "",
        "why": "",
    }
    done = office.run("withdrawal", "complete", one, "--reference", "tx-9", *AUTHORITY)
    assert (done.code, "is completed since" in done.out, "tx-9, by ann" in done.out) == (0, True, True)
    again = office.run("withdrawal", "complete", one, "--reference", "tx-9", *AUTHORITY)
    assert (again.code, again.out) == (0, done.out)
    other = office.run("withdrawal", "complete", one, "--reference", "tx-10", *AUTHORITY)
    assert (other.code, "WITHDRAWAL_RESOLVED" in other.err) == (1, True)
    assert office.run("withdrawal", "reverse", one, "--reference", "tx-9", *AUTHORITY).code == 1
    assert office.desk.balance(user) == 999_600
    assert audit(office.desk.database).faults == []


def test_a_withdrawal_is_told_in_one_form_whether_listed_ended_or_refused(office: Office) -> None:
    one = withdrawal(office.desk, office.desk.player())
    [listed] = office.run("withdrawal", "list", "--json").json
    assert listed["requested_at"] == "2026-09-21T14:13:20.000Z"
    assert (listed["requested_ms"], listed["resolved_at"], listed["who"]) == (1_790_000_000_000, None, None)
    complete = ("withdrawal", "complete", one, *AUTHORITY, "--json", "--reference")
    done = office.run(*complete, "tx-9").json["withdrawal"]
    assert done.keys() == listed.keys()
    ends = {name: done[name] for name in ("status", "resolved_at", "resolved_ms", "reference", "who", "why")}
    assert (ends["status"], ends["reference"], ends["who"], ends["why"]) == ("completed", "tx-9", "ann", "wire came in")
    assert done == listed | ends
    assert office.run("withdrawal", "list", "--json", "--all").json == [done]
    refused = office.run(*complete, "tx-10").json
    assert (refused["code"], refused["withdrawal"]) == ("WITHDRAWAL_RESOLVED", done)


def test_a_reversed_withdrawal_gives_the_money_back_once(office: Office) -> None:
    user = office.desk.player()
    one, two = withdrawal(office.desk, user), withdrawal(office.desk, user)
    reverse = ("withdrawal", "reverse", one, "--reference", "case-1", *AUTHORITY, "--json")
    assert office.run(*reverse).json["withdrawal"]["status"] == "reversed"
    assert office.run(*reverse).code == 0
    used = office.run("withdrawal", "reverse", two, "--reference", "case-1", *AUTHORITY)
    assert (used.code, "REFERENCE_USED" in used.err) == (1, True)
    assert office.desk.balance(user) == 999_600
    meta = {"who": "ann", "why": "wire came in", "reference": "case-1"}
    assert entries(office.desk, "WITHDRAWAL_REVERSAL") == [(one, 400, meta)]


def test_withdrawals_are_listed_by_status_and_account(office: Office) -> None:
    first, second = office.desk.player(1), office.desk.player(2)
    ended = withdrawal(office.desk, first)
    office.desk.clock.advance(1)
    pending = withdrawal(office.desk, second, 177)
    office.run("withdrawal", "complete", ended, "--reference", "tx-9", *AUTHORITY)

    def ids(*arguments: str) -> list[str]:
        return [row["id"] for row in office.run("withdrawal", "list", "--json", *arguments).json]

    assert ids() == [pending]
    assert ids("--status", "completed") == [ended]
    assert ids("--all") == [ended, pending]
    assert ids("--all", "--account", WALLET) == [ended]
    assert ids("--all", "--limit", "1") == [ended]
    shown = office.run("withdrawal", "list", "--json", "--all").json[0]
    assert (shown["who"], shown["why"], shown["reference"]) == ("ann", "wire came in", "tx-9")


def test_pending_withdrawals_are_found_by_their_index(office: Office) -> None:
    sql = fill(QUERIES["withdrawals"], which=QUERIES["if_pending"], conditions="")
    plan = office.desk.database.execute(f"EXPLAIN QUERY PLAN {sql}", (100,))[0][3]
    assert "withdrawals_pending" in plan


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(("deposit", WALLET, "5", "--reference", "r", "--who", "ann"), "--why", id="no reason"),
        pytest.param(("deposit", WALLET, "5", *AUTHORITY), "--reference", id="no reference"),
        pytest.param(("deposit", WALLET, "5", "--reference", " ", *AUTHORITY), "say something", id="blank"),
        pytest.param(("deposit", WALLET, "5", "--reference", "a\nb", *AUTHORITY), "say something", id="two lines"),
        pytest.param(("deposit", WALLET, "5.00", "--reference", "r", *AUTHORITY), "cents", id="dollars"),
        pytest.param(("deposit", WALLET, "\u0665", "--reference", "r", *AUTHORITY), "cents", id="other digits"),
        pytest.param(("deposit", WALLET, "-5", "--reference", "r", *AUTHORITY), "adjust", id="negative"),
        pytest.param(("deposit", WALLET, "9" * 14, "--reference", "r", *AUTHORITY), "cents", id="too much"),
        pytest.param(("adjust", WALLET, "0", "--reference", "r", *AUTHORITY), "nothing", id="nothing"),
        pytest.param(("deposit", "0x12", "5", "--reference", "r", *AUTHORITY), "neither", id="no wallet"),
        pytest.param(("adjust", "0x" + "9" * 40, "5", "--reference", "r", *AUTHORITY), "no account", id="unknown"),
        pytest.param(("withdrawal", "complete", "x", "--reference", "r", *AUTHORITY), "no id", id="no id"),
        pytest.param(("withdrawal",), "list|complete|reverse", id="no action"),
    ],
)
def test_a_wrong_order_is_refused_before_anybody_is_asked(
    office: Office, arguments: tuple[str, ...], sentence: str
) -> None:
    user = office.desk.player()
    said = office.run(*arguments)
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
    assert office.desk.balance(user) == 1_000_000


def test_an_unknown_withdrawal_is_refused_by_the_writer(office: Office) -> None:
    said = office.run("withdrawal", "complete", office.desk.new_id(), "--reference", "r", *AUTHORITY)
    assert (said.code, "NOT_FOUND" in said.err) == (1, True)


def test_without_a_writer_the_order_waits_and_happens_once(office: Office) -> None:
    user = office.desk.player()
    arguments = ("deposit", user, 500, "--reference", "wire-7", *AUTHORITY, "--wait", "0.05")
    office.writer_works = False
    said = office.run(*arguments)
    assert said.code == 3
    assert "the writer does not run" in said.err
    assert "repeat it with the same reference" in said.err
    assert office.run(*arguments, "--json").json["ok"] is None
    office.writer_works = True
    assert office.run(*arguments[:-1], "10").code == 0
    assert office.desk.balance(user) == 1_000_500


def test_a_connection_that_breaks_while_waiting_leaves_it_open(office: Office) -> None:
    user = office.desk.player()

    def cut() -> None:
        clients: Any = office.desk.client.client_list()
        if any(client["cmd"] == "blpop" for client in clients):
            office.desk.client.client_kill_filter(_type="normal", skipme=True)

    office.writer_works, office.meanwhile = False, cut
    arguments = ("deposit", user, 500, "--reference", "wire-7", *AUTHORITY)
    assert office.run(*arguments).code == 3
    office.desk.work()
    assert office.desk.balance(user) == 1_000_500
    office.writer_works, office.meanwhile = True, lambda: None
    assert "nothing moved now" in office.run(*arguments).out


def test_without_redis_nothing_is_asked(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    user = office.desk.player()
    monkeypatch.setenv("TAPTRADE_REDIS_URL", "redis://127.0.0.1:1/0")
    said = office.run("deposit", user, 500, "--reference", "wire-7", *AUTHORITY)
    assert (said.code, "nothing was done" in said.err) == (2, True)


def test_without_a_database_it_says_so(office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path / "elsewhere"))
    said = office.run("withdrawal", "list")
    assert (said.code, "there is no database at" in said.err) == (2, True)
