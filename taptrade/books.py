"""The books as an operator reads them: the live database, read-only, and the accounts in it."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runtime.addresses import AddressError, canonical_address, to_checksum_address
from runtime.archive.files import attached
from runtime.archive.weeks import Week
from runtime.errors import TaptradeError
from runtime.game.ids import ulid_ms
from runtime.game.ledger import SQL
from runtime.game.rows import is_nobody
from runtime.game.shards import shard_of
from runtime.personal.seal import FORGOTTEN
from runtime.postgresql import choice
from runtime.settings import Settings
from runtime.storage import ticks_store
from runtime.storage.database import LEDGER_MIGRATIONS, Database, Row, naming
from runtime.storage.migrate import open_migrated

MOMENT = "2026-01-06, 2026-01-06T12:30:00Z or Unix milliseconds; UTC"
MS_DIGITS_MIN = 12
MS_MAX = 253_402_300_799_999
"""The last millisecond of the year 9999: no later one can be written."""


class AccountUnknown(TaptradeError):
    """There is no such account."""


class WeekAway(TaptradeError):
    """The file of an archived week is not here."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose money it is; the balance is in cents."""

    user_id: str
    wallet: str
    balance: int
    created_ms: int
    shard: int
    """Which of the house's ledgers has it."""

    @property
    def shown_wallet(self) -> str:
        """The wallet with its checksum, or that its player was forgotten."""
        if is_nobody(self.wallet):
            return FORGOTTEN
        return to_checksum_address(self.wallet)


@contextmanager
def open_books(settings: Settings, shard: int = choice.WHOLE) -> Iterator[Database]:
    """Open the live database for reading; raise DatabaseUnsafe or WrongSchema if it cannot be read, whenever found.

    Of several shards all are read as one, unless one is named.
    """
    database = choice.open_migrated(settings, shard)
    try:
        with choice.naming(settings):
            yield database
    finally:
        database.close()


@contextmanager
def open_week(settings: Settings, week: Week) -> Iterator[Database]:
    """Open the file of an archived week that lies here; raise WeekAway if it does not."""
    path = attached(settings.data).get(week)
    if path is None:
        raise WeekAway(f"the file of {week.name} is not here; `taptrade archive restore {week.name}` brings it back")
    database = open_migrated(path, LEDGER_MIGRATIONS)
    try:
        with naming(path):
            yield database
    finally:
        database.close()


class Ticks:
    """The recorded ticks, read-only; what cannot be read of them is told of their file, not of the books'."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = open_migrated(path, ticks_store.MIGRATIONS)

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Run one statement and return all its rows."""
        with naming(self._path):
            return self._database.execute(sql, params)

    def close(self) -> None:
        """Close the connection."""
        self._database.close()


def open_ticks(path: Path) -> Ticks | None:
    """Open the recorded ticks for reading, None if there are none; raise as `open_books` does."""
    return Ticks(path) if path.exists() else None


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
        raise AccountUnknown(
            f"there is no account {text}; one opens with the wallet's first login, and of a"
            " forgotten player only the user id is left"
        )
    ((seq,),) = database.execute(SQL["user_seq"], (rows[0][0],))
    user_id, wallet, balance, created_ms = rows[0]
    return Account(user_id, wallet, balance, created_ms, shard_of(seq))


def moment(text: str) -> int:
    """Read a moment: Unix milliseconds, or ISO 8601 as 2026-01-06 or 2026-01-06T12:30:00Z; without a zone it is UTC."""
    if text.isascii() and text.isdigit() and len(text) >= MS_DIGITS_MIN:
        ms = int(text[: len(str(MS_MAX)) + 1])
    else:
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise ArgumentTypeError(f"{text!r} is no moment; write {MOMENT}") from None
        ms = round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
    if not 0 <= ms <= MS_MAX:
        raise ArgumentTypeError(f"{text!r} is not between 1970 and 9999; write {MOMENT}")
    return ms
