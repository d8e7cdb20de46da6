"""A payment processor's CSV, row by row: columns by their names, amounts in whole cents, times in UTC."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Literal

from runtime.errors import TaptradeError
from runtime.game.ids import ulid_ms

Kind = Literal["deposit", "withdrawal"]
SEPARATORS = ",;\t|"
CENTS_MAX = 10**15
_CENTS = re.compile(r"([+-]?)([0-9]{1,16})")
_DOLLARS = re.compile(r"([+-]?)([0-9]{1,14})(?:\.([0-9]{1,2}))?")
_UNIX = re.compile(r"[0-9]{10}(?:[0-9]{3})?")
_ZONE_WORD = re.compile(r"\s*(?:UTC|GMT)$")


class PaymentFileError(TaptradeError):
    """A processor's file does not say clearly what was paid."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What the file calls its columns; only the first three must be there, `debit` is a second one of amounts."""

    reference: str = "reference"
    amount: str = "amount"
    time: str = "time"
    kind: str = "kind"
    account: str = "account"
    currency: str = "currency"
    debit: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the words and figures of a file mean."""

    deposits: frozenset[str] = frozenset({"deposit"})
    withdrawals: frozenset[str] = frozenset({"withdrawal"})
    skipped: frozenset[str] = frozenset()
    in_dollars: bool = False
    currency: str = "USD"
    zone: tzinfo = UTC
    time_format: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment as the processor tells it; `account` is empty where the file names none."""

    line: int
    kind: Kind
    reference: str
    cents: int
    account: str
    at_ms: int


@dataclass(slots=True)
class PaymentFile:
    """Read payments from the lines of one file; iterating raises PaymentFileError at the first unclear row."""

    name: str
    lines: Iterable[str]
    columns: Columns
    meaning: Meaning
    skipped: Counter[str] = field(default_factory=Counter)
    """Rows that were passed over, by their kind."""

    def __iter__(self) -> Iterator[Payment]:
        lines = iter(self.lines)
        head = next(lines, "")
        separator = max(SEPARATORS, key=head.count)
        names = [one.strip().casefold() for one in next(csv.reader([head], delimiter=separator), [])]
        self._require(names)
        rows = csv.reader(lines, delimiter=separator, strict=True)
        try:
            for row in rows:
                if not any(row):
                    continue
                if len(row) != len(names):
                    raise ValueError(f"it has {len(row)} fields, the head names {len(names)}")
                # A field in quotes may hold line breaks: a row is known by its last line.
                found = self._payment(rows.line_num + 1, dict(zip(names, map(str.strip, row), strict=True)))
                if found is not None:
                    yield found
        except (ValueError, csv.Error) as ex:
            raise PaymentFileError(f"{self.name}, line {rows.line_num + 1}: {ex}") from ex

    def _require(self, names: Sequence[str]) -> None:
        wanted = {"reference": self.columns.reference, "amount": self.columns.amount, "time": self.columns.time}
        for what, name in wanted.items():
            if name.casefold() not in names:
                shown = ", ".join(filter(None, names)) or "nothing"
                raise PaymentFileError(f"{self.name} has no column {name!r}; --{what}-column names one of: {shown}")
        if self.columns.debit and self.columns.debit.casefold() not in names:
            raise PaymentFileError(f"{self.name} has no column {self.columns.debit!r}")
        twice = [name for name, count in Counter(names).items() if name and count > 1]
        if twice:
            raise PaymentFileError(f"{self.name} has the column {twice[0]!r} twice")

    def _payment(self, line: int, row: dict[str, str]) -> Payment | None:
        columns, meaning = self.columns, self.meaning
        word = row.get(columns.kind.casefold())
        if word is not None and word.casefold() in meaning.skipped:
            self.skipped[word] += 1
            return None
        currency = row.get(columns.currency.casefold(), meaning.currency)
        if currency.casefold() != meaning.currency.casefold():
            raise ValueError(f"its currency is {currency!r}, not {meaning.currency}")
        signed_cents = self._signed_cents(row)
        kind = _kind(word, signed_cents, meaning)
        if signed_cents < 0 and kind == "deposit":
            raise ValueError(f"a deposit of {signed_cents} cents; what takes money back is no deposit")
        reference = row[columns.reference.casefold()]
        if not reference:
            raise ValueError("it has no reference")
        account = known_account(row.get(columns.account.casefold(), ""))
        at_ms = _time_ms(row[columns.time.casefold()], meaning)
        return Payment(line, kind, reference, abs(signed_cents), account, at_ms)

    def _signed_cents(self, row: dict[str, str]) -> int:
        text, sign = row[self.columns.amount.casefold()], 1
        if self.columns.debit:
            debit = row[self.columns.debit.casefold()]
            if text and debit:
                raise ValueError("it has an amount in both columns")
            text, sign = (text, 1) if text else (debit, -1)
        found = sign * (_dollars(text) if self.meaning.in_dollars else _cents(text))
        if not 0 < abs(found) <= CENTS_MAX:
            raise ValueError(f"an amount of {text!r}")
        return found


def known_account(text: str) -> str:
    """Return a wallet or a user id in the form in which the ledger has it."""
    return text.upper() if ulid_ms(text.upper()) is not None else text.lower()


def _kind(word: str | None, signed_cents: int, meaning: Meaning) -> Kind:
    if word is None:
        # A file that has no kinds tells them by the sign, as a statement of a bank does.
        return "deposit" if signed_cents > 0 else "withdrawal"
    if word.casefold() in meaning.deposits:
        return "deposit"
    if word.casefold() in meaning.withdrawals:
        return "withdrawal"
    raise ValueError(f"what is {word!r}? --deposit, --withdrawal or --skip says it")


def _cents(text: str) -> int:
    found = _CENTS.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no whole number of cents; --unit dollars reads 10.50")
    return int(found[1] + found[2])


def _dollars(text: str) -> int:
    found = _DOLLARS.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no amount of dollars with a point and two digits at most")
    return int(found[1] + found[2] + (found[3] or "").ljust(2, "0"))


def _time_ms(text: str, meaning: Meaning) -> int:
    if _UNIX.fullmatch(text):
        return int(text) * (1000 if len(text) == len("1790000000") else 1)
    form, bare = meaning.time_format, _ZONE_WORD.sub("", text)
    zone = meaning.zone if bare == text else UTC
    try:
        # Its zone is told apart.
        found = datetime.strptime(text, form) if form else datetime.fromisoformat(bare)  # noqa: DTZ007
    except ValueError:
        raise ValueError(f"{text!r} is no time as 2026-01-06 12:30:00 is; --time-format says how to read it") from None
    return round((found if found.tzinfo else found.replace(tzinfo=zone)).timestamp() * 1000)
