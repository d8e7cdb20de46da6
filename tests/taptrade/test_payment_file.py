"""A processor's CSV: liberal in its form, strict about what it means."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from taptrade.payment_file import Columns, Meaning, Payment, PaymentFile, PaymentFileError

HEAD = "reference,kind,amount,account,time"
USER = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
AT_MS = 1_790_000_000_000
AT = "2026-09-21T14:13:20Z"


def payments(
    *lines: str, columns: Columns | None = None, meaning: Meaning | None = None
) -> tuple[list[Payment], dict[str, int]]:
    text = "".join(f"{line}\n" for line in lines)
    file = PaymentFile("p.csv", text.splitlines(keepends=True), columns or Columns(), meaning or Meaning())
    return list(file), dict(file.skipped)


def test_a_row_is_a_payment() -> None:
    found, _ = payments(
        HEAD, f"psp-1,deposit,1050,0xAB,{AT}", "", f"tx-2,Withdrawal,-400,{USER.lower()},2026-09-21 14:13:20 UTC"
    )
    assert found == [
        Payment(2, "deposit", "psp-1", 1050, "0xab", AT_MS),
        Payment(4, "withdrawal", "tx-2", 400, USER, AT_MS),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_columns_are_found_by_name_in_any_order_and_form(separator: str) -> None:
    head, row = [" Time", "note", "AMOUNT ", "Reference"], [AT, '"a\nb"', "7", '"x ""y"""']
    found, _ = payments(separator.join(head), separator.join(row))
    # Without a column of kinds the sign tells them.
    assert found == [Payment(3, "deposit", 'x "y"', 7, "", AT_MS)]


def test_an_export_with_debit_and_credit_in_dollars_is_read_by_its_own_names() -> None:
    columns = Columns("Merchant Reference", "Gross Credit (GC)", "Creation Date", "Type", debit="Gross Debit (GC)")
    meaning = Meaning(
        frozenset({"settled"}),
        frozenset({"paidout"}),
        frozenset({"fee"}),
        in_dollars=True,
        zone=ZoneInfo("Europe/Amsterdam"),
    )
    found, skipped = payments(
        "Merchant Reference,Creation Date,Type,Gross Debit (GC),Gross Credit (GC)",
        "psp-1,2026-09-21 16:13:20,Settled,,5.5",
        ",2026-09-21 16:13:20,Fee,0.10,",
        "tx-2,2026-09-21 16:13:20,PaidOut,12.34,",
        columns=columns,
        meaning=meaning,
    )
    assert [(one.kind, one.reference, one.cents, one.at_ms) for one in found] == [
        ("deposit", "psp-1", 550, AT_MS),
        ("withdrawal", "tx-2", 1234, AT_MS),
    ]
    assert skipped == {"Fee": 1}


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1790000000", AT_MS),
        ("1790000000123", AT_MS + 123),
        ("2026-09-21T16:13:20+02:00", AT_MS),
        ("2026-09-21T14:13:20.5", AT_MS + 500),
        ("2026-09-21", 1_789_948_800_000),
    ],
)
def test_times_are_read_in_several_forms(text: str, ms: int) -> None:
    assert payments(HEAD, f"r,deposit,1,,{text}")[0][0].at_ms == ms


def test_a_form_of_time_can_be_told() -> None:
    meaning = Meaning(time_format="%d/%m/%Y %H:%M")
    assert payments(HEAD, "r,deposit,1,,21/09/2026 14:13", meaning=meaning)[0][0].at_ms == AT_MS - 20_000


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (f"r,deposit,10.50,,{AT}", "'10.50' is no whole number of cents; --unit dollars reads 10.50"),
        (f"r,deposit,,,{AT}", "'' is no whole number of cents"),
        (f"r,deposit,0,,{AT}", "an amount of '0'"),
        (f"r,deposit,-5,,{AT}", "a deposit of -5 cents; what takes money back is no deposit"),
        (f"r,refund,5,,{AT}", "what is 'refund'? --deposit, --withdrawal or --skip says it"),
        (f",deposit,5,,{AT}", "it has no reference"),
        ("r,deposit,5,,09/21/2026", "'09/21/2026' is no time"),
        (f"r,deposit,5,{AT}", "it has 4 fields, the head names 5"),
        (f'"r,deposit,5,,{AT}', "unexpected end of data"),
    ],
)
def test_an_unclear_row_is_named(row: str, sentence: str) -> None:
    with pytest.raises(PaymentFileError, match=r"^p\.csv, line 3: ") as told:
        payments(HEAD, f"a,deposit,1,,{AT}", row)
    assert sentence in str(told.value)


@pytest.mark.parametrize("text", ["1,050.00", "10.505", "1e3", "\N{FULLWIDTH DIGIT ONE}", "$5", "5."])
def test_an_amount_of_dollars_leaves_nothing_open(text: str) -> None:
    with pytest.raises(PaymentFileError, match="is no amount of dollars"):
        payments(HEAD, f'r,deposit,"{text}",,{AT}', meaning=Meaning(in_dollars=True))


def test_another_currency_is_refused() -> None:
    assert len(payments(f"{HEAD},Currency", f"r,deposit,5,,{AT},usd")[0]) == 1
    with pytest.raises(PaymentFileError, match="its currency is 'EUR', not USD"):
        payments(f"{HEAD},Currency", f"r,deposit,5,,{AT},EUR")


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        ("id;amount;time", "p.csv has no column 'reference'; --reference-column names one of: id, amount, time"),
        ("", "names one of: nothing"),
        ("reference,amount,time,Amount", "p.csv has the column 'amount' twice"),
    ],
)
def test_a_head_without_what_is_needed_is_told(head: str, sentence: str) -> None:
    with pytest.raises(PaymentFileError) as told:
        payments(head)
    assert sentence in str(told.value)
