"""The books as an operator reads them: the live database, read-only, and the accounts in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runtime.auth.addresses import AddressError, canonical_address, to_checksum_address
from runtime.errors import TaptradeError
from runtime.game.ids import ulid_ms
from runtime.game.ledger import SQL
from runtime.settings import Settings
from runtime.storage.database import Database, OperationalError, open_reader

MS_DIGITS_MIN = 12


class BooksClosed(TaptradeError):
    """There is no database to read."""


class AccountUnknown(TaptradeError):
    """There is no such account."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose money it is; the balance is in cents."""

    user_id: str
    wallet: str
    balance: int
    created_ms: int

    @property
    def shown_wallet(self) -> str:
        """The wallet with its checksum."""
        return to_checksum_address(self.wallet)


@contextmanager
def open_books(settings: Settings) -> Iterator[Database]:
    """Open the live database for reading; raise BooksClosed if there is none."""
    try:
        database = open_reader(settings.database)
    except OperationalError as ex:
        raise BooksClosed(f"there is no database at {settings.database}; start one with `taptrade up`") from ex
    try:
        yield database
    finally:
        database.close()


def open_ticks(path: Path) -> Database | None:
    """Open the recorded ticks for reading; None if there are none."""
    try:
        return open_reader(path)
    except OperationalError:
        return None


def find_account(database: Database, text: str) -> Account:
    """Return the account that a wallet or a user id names; raise AccountUnknown with what is wrong."""
    if ulid_ms(text.upper()) is not None:
        rows = database.execute(SQL["user"], (text.upper(),))
    else:
        try:
            wallet = canonical_address(text)
        except AddressError as ex:
            raise AccountUnknown(f"{text!r} is neither a user id nor a wallet: {ex}") from ex
        found = database.execute(SQL["user_by_wallet"], (wallet,))
        rows = database.execute(SQL["user"], (found[0][0],)) if found else []
    if not rows:
        raise AccountUnknown(f"there is no account {text}; one opens with the wallet's first login")
    return Account(*rows[0])


def moment(text: str) -> int:
    """Read a moment: Unix milliseconds, or ISO 8601 as 2026-01-06 or 2026-01-06T12:30:00Z; without a zone it is UTC."""
    if text.isascii() and text.isdigit() and len(text) >= MS_DIGITS_MIN:
        return int(text)
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    if found.timestamp() < 0:
        raise ValueError("there was nothing before 1970")
    return round(found.timestamp() * 1000)
