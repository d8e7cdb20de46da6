"""Where the hash chain holds a bet: its rows' positions, and whether the commits' hashes still hold over their rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from runtime.audit.records import AUDIT, SOURCES, Source
from runtime.clock import rfc3339
from runtime.explanation.views import Chained, Position, What
from runtime.game import chain
from runtime.game.bets import Bet
from runtime.game.gestures import gesture_of
from runtime.game.ids import first_id_at
from runtime.game.player_entries import Execute

QUICK = ("entry", "gesture", "bet", "resolved", "column", "settled", "standing")
"""The kinds of which a commit's rows are found without a walk; others are walked, where the caller has the time."""
MINTED = ("user", "delegation", "limits", "withdrawal")
"""The kinds whose ids begin with the time when they were asked for, a little before their commit."""
MINTED_BEFORE_MS = 60_000
Near = tuple[str | int | None, str | int | None]
"""What rows lie near in their table, from and to."""
Reach = Literal["row", "quick", "all"]
"""How far to check: the bet's own row, its whole commit if that can be read quickly, or by walking tables too."""
KINDS = {source.kind: source for source in SOURCES}
WALKED = sorted(
    (kind for kind in KINDS if kind not in QUICK or kind == "settled"), key=lambda kind: kind != "operation"
)
"""Sign-ups and deposits come with an operation, so these are looked through first."""


@dataclass(frozen=True, slots=True)
class _Own:
    commit: int
    position: int
    line: bytes


@dataclass(frozen=True, slots=True)
class _Commit:
    header: chain.Header
    hash: str
    marks: str


def check_chained(execute: Execute, bet: Bet, oldest_commit: int, reach: Reach, live: Execute | None = None) -> Chained:
    """Find the commits that the bet stands in and verify them as far as `reach` says.

    Commits of before a week's file, as that of a login may be, are looked up in the live database: it keeps them all.
    """
    rows: list[tuple[What, str, str | int | None]] = [("placed", "bet", bet.id)]
    if bet.resolved_commit is not None:
        rows += [("evidence", "column", bet.column_start_s), ("resolved", "resolved", bet.id)]
    gesture_id, _ = gesture_of(bet.id)
    if not bet.nonce and gesture_id:
        rows.insert(0, ("signed", "gesture", gesture_id))
    if reach == "all":
        rows.insert(0, ("delegated", "delegation", bet.delegation_id))
    positions = []
    for what, kind, key in rows:
        own = _own(execute, kind, key)
        if own is None:
            continue
        where = execute if live is None or _find(execute, own.commit) else live
        positions.append(_position(where, what, own, bet, oldest_commit, reach))
    checks = [v for one in positions for v in (one.row_holds, one.links_hold, one.hash_holds)]
    ok = False if False in checks else None if None in checks else True
    return Chained(ok, " ".join(_sentence(one) for one in positions), positions)


def _own(execute: Execute, kind: str, key: str | int | None) -> _Own | None:
    """Return where a row says that it was written, and its record."""
    rows = execute(KINDS[kind].by_key, (key,))
    if not rows:
        return None
    number, position, _, _, *content = rows[0]
    return _Own(number, position, chain.record(kind, position, content))


def row_holds(execute: Execute, kind: str, key: str) -> bool:
    """Tell whether a row is what its commit wrote."""
    own = _own(execute, kind, key)
    commit = None if own is None else _find(execute, own.commit)
    return own is not None and commit is not None and _matches(own, commit)


def _matches(own: _Own, commit: _Commit) -> bool:
    return chain.marks([own.line]) == chain.mark_at(commit.marks, own.position)


def _position(execute: Execute, what: What, own: _Own, bet: Bet, oldest_commit: int, reach: Reach) -> Position:
    commit = _find(execute, own.commit)
    if commit is None:
        return Position(what, own.commit, own.position, None, None, None, None, False, None, None)
    holds = None
    if reach != "row":
        lines = _lines(execute, commit.header, bet.column_start_s, walk=reach == "all")
        if len(lines) >= commit.header.records or (reach == "all" and own.commit >= oldest_commit):
            holds = chain.commit_hash(commit.header, lines) == commit.hash
    return Position(
        what=what,
        commit_number=own.commit,
        place=own.position,
        committed_at=rfc3339(commit.header.committed_ms),
        hash=commit.hash,
        previous_hash=commit.header.previous_hash,
        records=commit.header.records,
        row_holds=_matches(own, commit),
        links_hold=_links_hold(execute, commit),
        hash_holds=holds,
    )


def _find(execute: Execute, number: int) -> _Commit | None:
    rows = execute(AUDIT["commit"], (number,))
    return _Commit(chain.Header(*rows[0][:9]), rows[0][9], rows[0][10]) if rows else None


def _links_hold(execute: Execute, commit: _Commit) -> bool:
    number = commit.header.number
    around = {row[0]: row[1:] for row in execute(AUDIT["neighbours"], (number - 1, number + 1))}
    before = around[number - 1][1] if number - 1 in around else chain.GENESIS if number == 1 else None
    after = around[number + 1][0] if number + 1 in around else commit.hash
    return (before, after) == (commit.header.previous_hash, commit.hash)


def _lines(execute: Execute, header: chain.Header, column_start_s: int, *, walk: bool) -> list[bytes]:
    """Return the records of a commit in order of position: those found quickly, then others until they are enough."""
    near: dict[str, Near] = {
        "entry": (header.first_entry, header.last_entry),
        "gesture": (header.first_bet_seq, header.last_bet_seq),
        "bet": (header.first_bet_seq, header.last_bet_seq),
        "settled": (column_start_s, column_start_s),
    }
    found: set[tuple[int, bytes]] = set()
    for source in SOURCES:
        if source.kind in QUICK:
            found |= _read(execute, source, header.number, near.get(source.kind))
    if walk and len(found) < header.records:
        minted = (first_id_at(max(0, header.committed_ms - MINTED_BEFORE_MS)), first_id_at(header.committed_ms + 1))
        for kind in MINTED:
            found |= _records(kind, execute(KINDS[kind].of_commit_named, (header.number, *minted)))
    for kind in WALKED if walk else ():
        if len(found) < header.records:
            found |= _read(execute, KINDS[kind], header.number, None)
    return [line for _, line in sorted(found)]


def _read(execute: Execute, source: Source, number: int, near: Near | None) -> set[tuple[int, bytes]]:
    if near is not None and None in near:
        return set()  # the commit wrote none of that kind
    sql, params = (source.of_commit, (number,)) if near is None else (source.of_commit_near, (number, *near))
    return _records(source.kind, execute(sql, params))


def _records(kind: str, rows: list[Any]) -> set[tuple[int, bytes]]:
    return {(position, chain.record(kind, position, content)) for _, position, _, _, *content in rows}


def _sentence(one: Position) -> str:
    where = f"{one.what.capitalize()} at position {one.place} of commit {one.commit_number}"
    if one.hash is None:
        return f"{where}, which is not there."
    if one.row_holds is False:
        return f"{where}: the row is not what the commit wrote."
    if one.links_hold is False:
        return f"{where}: the commits around it do not follow from one another."
    if one.hash_holds is False:
        return f"{where}: the commit's hash does not hold over its rows."
    if one.hash_holds is None:
        return f"{where} ({one.hash[:16]}), where its row holds; the whole commit was not verified here."
    return f"{where} ({one.hash[:16]}), whose hash holds over its {one.records} row{'' if one.records == 1 else 's'}."
