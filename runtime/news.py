"""News from committed rows, by commit number and place: what the stream tells after a crash or a reconnect."""

from __future__ import annotations

from typing import Any

from runtime.game.bets import from_row
from runtime.game.ledger import ENTRY_COLUMNS, SELECT_BET, Entry, News
from runtime.game.own_entries import Execute, Rows, id_after, oldest_first
from runtime.own_bets import ended_after, placed_after
from runtime.views import event

COLUMN_NAMES = (
    "start_s, end_s, covered, open, low, high, close, tick_count, ticks_sha256, first_tick_id, last_tick_id, reason,"
    " begun_at, begun_commit, begun_place"
)
# A bet tells two things at most: how it was judged, and how it ended. What it was when placed is its row without the
# end, so the event of its placing is the same before and after settlement.
_PLACED_STATUS = {"won": "confirmed", "lost": "confirmed", "void": "confirmed"}


def last_commit(execute: Execute) -> int:
    """Return the number of the newest commit, 0 if there is none."""
    rows = execute("SELECT coalesce(max(number), 0) FROM commits", ())
    return int(rows[0][0])


def events_of_commit(execute: Execute, number: int) -> list[dict[str, Any]]:
    """Return all news of one commit in order of place, as the writer published them."""
    rows = execute(
        "SELECT first_bet_seq, last_bet_seq, first_entry, last_entry FROM commits WHERE number = ?", (number,)
    )
    if not rows:
        return []
    first_seq, last_seq, first_entry, last_entry = rows[0]
    bets = execute(f"{SELECT_BET} WHERE seq BETWEEN ? AND ? ORDER BY seq", (first_seq, last_seq))
    ended = execute(f"{SELECT_BET} WHERE resolved_commit = ?", (number,))
    entries = execute(
        f"SELECT {ENTRY_COLUMNS} FROM transaction_ledger WHERE id BETWEEN ? AND ? ORDER BY id",  # noqa: S608
        (first_entry, last_entry),
    )
    columns = execute(f"SELECT {COLUMN_NAMES} FROM columns WHERE begun_commit = ?", (number,))  # noqa: S608
    news = [*_placed(bets), *_ended(ended), *_entered([Entry(*row) for row in entries]), *_begun(columns)]
    news.sort(key=lambda item: item.place)
    return [event(item, number) for item in news]


def events_of_user(
    execute: Execute, user_id: str | None, after: tuple[int, int], up_to: int, limit: int
) -> list[tuple[int, dict[str, Any]]]:
    """Return (commit, event) for what one user (None: only what is public) may know, after a (commit, place).

    At most `limit` rows of each kind are read and at most `limit` events returned, oldest first; ask again from the
    last one for more.
    """
    commit, place = after
    found: list[tuple[int, News]] = []
    columns = execute(
        f"SELECT {COLUMN_NAMES} FROM columns WHERE (begun_commit, begun_place) > (?, ?) AND begun_commit <= ?"  # noqa: S608
        " ORDER BY begun_commit, begun_place LIMIT ?",
        (commit, place, up_to, limit),
    )
    found += [(item.content["begun_commit"], item) for item in _begun(columns)]  # type: ignore[index]
    if user_id is not None:
        found += _of_user(execute, user_id, commit, place, up_to, limit)
    found.sort(key=lambda pair: (pair[0], pair[1].place))
    return [(number, event(item, number)) for number, item in found[:limit]]


def _of_user(execute: Execute, user_id: str, commit: int, place: int, up_to: int, limit: int) -> list[tuple[int, News]]:
    after = (commit, place)
    entries = oldest_first(execute, user_id, id_after(execute, commit, place), limit)
    entries = [entry for entry in entries if entry.commit_number <= up_to]
    placed = placed_after(execute, user_id, entries, after, up_to, limit)
    ended = ended_after(execute, user_id, after, up_to, limit)
    found: list[tuple[int, News]] = []
    found += [(item.content.placed_commit, item) for item in _placed(placed)]  # type: ignore[union-attr]
    found += [(item.content.resolved_commit or 0, item) for item in _ended(ended)]  # type: ignore[union-attr]
    found += [(entry.commit_number, item) for entry, item in zip(entries, _entered(entries), strict=True)]
    return found


def _placed(rows: Rows) -> list[News]:
    news = []
    for row in rows:
        bet = from_row(row)
        bet.status = _PLACED_STATUS.get(bet.status, bet.status)  # type: ignore[assignment]
        bet.resolved_at = bet.payout_amount = bet.resolved_commit = bet.resolved_place = None
        news.append(News(bet.placed_place, bet.user_id, bet))
    return news


def _ended(rows: Rows) -> list[News]:
    return [News(bet.resolved_place or 0, bet.user_id, bet) for bet in map(from_row, rows)]


def _entered(entries: list[Entry]) -> list[News]:
    return [News(entry.place, entry.user_id, entry) for entry in entries]


def _begun(rows: Rows) -> list[News]:
    names = [name.strip() for name in COLUMN_NAMES.split(",")]
    columns = [dict(zip(names, row, strict=True)) for row in rows]
    return [News(column["begun_place"], None, column) for column in columns]
