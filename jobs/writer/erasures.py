"""Players who are forgotten: the key destroyed, and what they were found by wiped, in one commit; for ever after that.

A database that is brought back from before knows nothing of it. So each erasure also stands in a file beside the
databases, and a writer that starts does again what its database does not know.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from jobs.writer.book import Book
from runtime.clock import rfc3339
from runtime.game.ledger import SQL, Commit
from runtime.game.rows import nobody
from runtime.messaging.commands import (
    AdoptGuest,
    AnyCommand,
    Command,
    Deposit,
    ForgetPlayer,
    Outcome,
    SetLimits,
    Withdraw,
)
from runtime.personal.erased import Erased, ErasedFile
from runtime.personal.seal import PERSONAL
from runtime.storage.database import DatabaseUnsafe

logger = logging.getLogger(__name__)

DAY_MS = 86_400_000
NOT_HERE = "Nobody is forgotten while PostgreSQL holds the ledger: the key would stay in its files and its log."
OF_PLAYERS = (AdoptGuest, Deposit, Withdraw, SetLimits)


def forget_player(commit: Commit, book: Book, command: ForgetPlayer, *, kept_days: int) -> Outcome:
    """Forget a player of whom nothing is owed, open or still to be kept; a repeat is answered as such."""
    known = erased(commit, command.user_id)
    if known is not None:
        data = {"user_id": known.user_id, "erased_ms": known.erased_ms, "who": known.who, "why": known.why}
        return Outcome(command.id, {**data, "repeat": True})
    if not commit.forgets:
        return Outcome(command.id, {}, "FORBIDDEN", NOT_HERE)
    rows = commit.connection.execute(PERSONAL["standing"], (book.open_from_s(), command.user_id))
    if not rows:
        return Outcome(command.id, {}, "NOT_FOUND", "There is no such account.")
    refused = _refusal(rows[0], commit.now_ms, kept_days)
    if refused is not None:
        return Outcome(command.id, refused[2], refused[0], refused[1])
    erase(commit, book, Erased(command.user_id, commit.now_ms, command.who, command.why))
    data = {"user_id": command.user_id, "erased_ms": commit.now_ms, "who": command.who, "why": command.why}
    return Outcome(command.id, data)


def forgotten(command: Command) -> Outcome:
    """Answer for a player whose data must not be stored any more: sessions have ended, and staff is told why."""
    code = "PLAYER_FORGOTTEN" if isinstance(command, Deposit) else "UNAUTHENTICATED"
    return Outcome(command.id, {}, code, "The player was forgotten; the account takes nothing more.")


def refusal_of_forgotten(commit: Commit, command: AnyCommand) -> Outcome | None:
    """Return the answer to a command for the account of a forgotten player, None if there is nothing in its way.

    An adjustment is done, as the house's books may ask for one; so is what repeats the erasure.
    """
    if isinstance(command, OF_PLAYERS) and erased(commit, command.user_id) is not None:
        return forgotten(command)
    return None


def erased(commit: Commit, user_id: str) -> Erased | None:
    """Return how a player was forgotten, None if that never happened."""
    rows = commit.connection.execute(PERSONAL["erasure"], (user_id,))
    return Erased.of_row(rows[0]) if rows else None


def _refusal(
    standing: tuple[int, int, int, int, int, int], now_ms: int, kept_days: int
) -> tuple[str, str, dict[str, int]] | None:
    balance, is_sealed, last_ms, excluded_ms, pending, has_open = standing
    until_ms = last_ms + kept_days * DAY_MS
    if pending:
        return "WITHDRAWALS_OPEN", "Withdrawals of the account are pending; end them first.", {"pending": pending}
    if has_open:
        return "BETS_OPEN", "Bets of the account are open; they end within minutes.", {}
    if balance:
        sentence = "The account holds money; pay it out or adjust it first, since nobody could claim it afterwards."
        return "BALANCE_LEFT", sentence, {"balance": balance}
    if excluded_ms > now_ms:
        sentence = f"The player is shut out until {rfc3339(excluded_ms)}; forgotten, the same wallet could play anew."
        return "PLAYER_EXCLUDED", sentence, {"excluded_until_ms": excluded_ms}
    if until_ms > now_ms:
        sentence = f"Records are kept for {kept_days} days after a player's last doing, here until {rfc3339(until_ms)}."
        return "RECORDS_KEPT", sentence, {"kept_until_ms": until_ms}
    if not is_sealed:
        sentence = "The account is from before personal data was sealed; the hash chain covers it as it is."
        return "NEVER_SEALED", sentence, {}
    return None


def erase(commit: Commit, book: Book, one: Erased) -> None:
    """Destroy a player's key and wipe what the account was found by; SQLite overwrites what it frees."""
    execute, user_id = commit.connection.execute, one.user_id
    execute("PRAGMA secure_delete = 1")
    content = (user_id, one.who, one.why, one.erased_ms, commit.number)
    execute(PERSONAL["insert_erasure"], (*content, commit.record("erasure", *content)))
    if not execute(PERSONAL["key"], (user_id,)):
        book.seals.of(user_id)  # of an account from before keys: none must be made for it later
    execute(PERSONAL["destroy_key"], (user_id,))
    execute(PERSONAL["wipe_names"], (nobody(user_id), user_id))
    execute(PERSONAL["wipe_session_keys"], (user_id,))
    book.seals.drop(user_id)


def keep_forgotten(book: Book, file: ErasedFile) -> list[Erased]:
    """Forget those again whom only the file knows, whatever they hold; tell the file of those whom only we know.

    Return whom that was: a database from before may give them money, which an adjustment takes away.
    """
    execute = book.database.execute
    here = [Erased.of_row(row) for row in execute(PERSONAL["erasures"])]
    missing = _missing(file.read(), {one.user_id for one in here}, book)
    if missing:
        if not book.forgets:
            raise DatabaseUnsafe(f"{file.path} names players as forgotten whom this database knows. {NOT_HERE}")
        with book.commit(lambda _commit: None) as commit:
            for one in missing:
                erase(commit, book, one)
        logger.warning("forgot %d players again, whom this database did not know as forgotten", len(missing))
    file.add(here)
    return missing


def _missing(listed: Iterable[Erased], here: set[str], book: Book) -> list[Erased]:
    unknown = {one.user_id: one for one in listed if one.user_id not in here}
    return [one for one in unknown.values() if book.database.execute(SQL["user"], (one.user_id,))]
