"""`taptrade reconcile`: what a processor's file and the ledger differ in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runtime.clock import rfc3339
from runtime.messaging.commands import CompleteWithdrawal, Deposit, ReverseWithdrawal, Withdraw
from tests.jobs.writer_desk import Desk
from tests.taptrade.office import Office, Said

HEAD = "reference,kind,amount,account,time"
WALLET = f"0x{1:040x}"


def times(desk: Desk) -> dict[str, Any]:
    now_ms = desk.clock.now_ms()
    return {"id": desk.new_id(), "received_ms": now_ms, "decided_by_ms": now_ms + 10_000}


def deposit(desk: Desk, user_id: str, reference: str, amount: int = 500, who: str = "payment processor") -> None:
    command = Deposit(user_id=user_id, amount=amount, reference=reference, who=who, why="paid", **times(desk))
    assert desk.do(command)[0].code is None


def withdrawal(desk: Desk, user_id: str, amount: int = 400) -> str:
    signed: dict[str, Any] = {"nonce": desk.new_id(), "signed_at_s": 1, "signature": "0x"}
    command = Withdraw(user_id=user_id, amount=amount, **signed, **times(desk))
    assert desk.do(command)[0].code is None
    return command.id


def end(desk: Desk, kind: type[CompleteWithdrawal | ReverseWithdrawal], id_: str, reference: str) -> None:
    command = kind(withdrawal_id=id_, reference=reference, who="ann", why="done", **times(desk))
    assert desk.do(command)[0].code is None


def reconcile(office: Office, folder: Path, *rows: str, options: tuple[str, ...] = ("--json",)) -> Said:
    now = rfc3339(office.desk.clock.now_ms())
    path = folder / "payments.csv"
    path.write_text("\n".join([f"\ufeff{HEAD}", *(f"{row},{now}" for row in rows)]) + "\n", encoding="utf-8")
    return office.run("reconcile", path, *options)


def found(said: Said) -> list[tuple[str, str, int | None]]:
    return [(one["what"], one["reference"], one["line"]) for one in said.json["differences"]]


def test_a_file_that_agrees(office: Office, tmp_path: Path) -> None:
    user = office.desk.player()
    deposit(office.desk, user, "psp-1")
    by_reference, by_id = withdrawal(office.desk, user), withdrawal(office.desk, user)
    end(office.desk, CompleteWithdrawal, by_reference, "tx-1")
    end(office.desk, CompleteWithdrawal, by_id, "tx-2")
    rows = (f"psp-1,deposit,500,{WALLET}", f"tx-1,withdrawal,-400,{user}", f"{by_id.lower()},withdrawal,400,")
    said = reconcile(office, tmp_path, *rows)
    assert (said.code, said.json["agrees"], said.json["counts"]) == (0, True, {})
    assert (said.json["deposits"], said.json["withdrawals"]) == (
        {"count": 1, "cents": 500},
        {"count": 2, "cents": 800},
    )
    told = reconcile(office, tmp_path, *rows, options=())
    assert told.out.startswith("1 deposits of $5.00, 2 withdrawals of $8.00, from 2026-09-21T14:13:20.000Z to ")
    assert told.out.endswith(": file and ledger agree\n")


def test_each_difference_has_its_name(office: Office, tmp_path: Path) -> None:
    user, other = office.desk.player(), office.desk.player(2)
    for reference in ("same", "dearer", "others", "forgotten"):
        deposit(office.desk, user, reference)
    named, alike, back = (withdrawal(office.desk, user, amount) for amount in (100, 200, 300))
    end(office.desk, ReverseWithdrawal, back, "back-1")
    end(office.desk, CompleteWithdrawal, withdrawal(office.desk, user), "tx-9")
    said = reconcile(
        office,
        tmp_path,
        "same,deposit,500,",
        "same,deposit,500,",
        "dearer,deposit,501,",
        f"others,deposit,500,{other}",
        "unknown,deposit,500,",
        f"{named},withdrawal,100,",
        f"tx-5,withdrawal,200,{WALLET}",
        f"tx-6,withdrawal,200,{WALLET}",
        "back-1,withdrawal,300,",
    )
    assert said.code == 1
    assert found(said) == [
        ("twice_in_file", "same", 3),
        ("amount_differs", "dearer", 4),
        ("account_differs", "others", 5),
        ("not_in_ledger", "unknown", 6),
        ("pending_here", named, 7),
        ("pending_here", "tx-5", 8),
        ("not_in_ledger", "tx-6", 9),
        ("reversed_here", "back-1", 10),
        ("not_in_file", "forgotten", None),
        ("not_in_file", "tx-9", None),
    ]
    sentences = {one["reference"]: one["sentence"] for one in said.json["differences"]}
    assert f"`taptrade withdrawal complete {alike}`" in sentences["tx-5"]
    assert sentences["dearer"] == "$5.01 in the file, $5.00 in the ledger"
    assert said.json["counts"]["not_in_file"] == 2


def test_the_span_and_who_entered_it_say_what_must_be_in_the_file(office: Office, tmp_path: Path) -> None:
    user = office.desk.player()
    deposit(office.desk, user, "psp-before")
    office.desk.clock.advance(60_000)
    deposit(office.desk, user, "psp-1")
    deposit(office.desk, user, "bank-1", who="ann")
    row = "psp-1,deposit,500,"
    assert found(reconcile(office, tmp_path, row)) == [("not_in_file", "bank-1", None)]
    only = ("--json", "--who", "payment processor")
    assert reconcile(office, tmp_path, row, options=only).code == 0
    whole = reconcile(office, tmp_path, row, options=(*only, "--from", "2026-09-21"))
    assert found(whole) == [("not_in_file", "psp-before", None)]


def test_two_files_are_one(office: Office, tmp_path: Path) -> None:
    user = office.desk.player()
    deposit(office.desk, user, "psp-1")
    reconcile(office, tmp_path, "psp-1,deposit,500,")
    said = office.run("reconcile", tmp_path / "payments.csv", tmp_path / "payments.csv", "--json")
    assert (said.code, found(said)) == (1, [("twice_in_file", "psp-1", 2)])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"reference,amount,time\nr,1.5,2026-01-06\n", "payments.csv, line 2: '1.5' is no whole number of cents"),
        (b"\xff\xfer\x00", "payments.csv is no text in UTF-8"),
        (None, "No such file"),
    ],
)
def test_what_cannot_be_read_is_told(office: Office, tmp_path: Path, content: bytes | None, sentence: str) -> None:
    office.desk.player()
    path = tmp_path / "payments.csv"
    if content is not None:
        path.write_bytes(content)
    said = office.run("reconcile", path)
    assert (said.code, said.out, sentence in said.err) == (2, "", True), said.err
    assert "Traceback" not in said.err
