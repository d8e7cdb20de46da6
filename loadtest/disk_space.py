"""What a bet takes of the disk, by table and index, and packed: `python -m loadtest.disk_space`."""

from __future__ import annotations

import argparse
import secrets
import struct
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec import structs

from jobs.upkeep.packing import compress
from jobs.upkeep.week_file import pack
from jobs.writer.seals import Seals
from jobs.writer.settle import Settlement, begin_column
from loadtest.bets import BETS_PER_COMMIT, column_ends, create
from loadtest.growth import Table
from loadtest.processes import BenchFailed
from runtime.clock import SystemClock
from runtime.game.ledger import SQL
from runtime.messaging.commands import PlaceBet
from runtime.messaging.queues import new_id
from runtime.personal.seal import about
from runtime.settings import Settings, load
from runtime.storage.database import PAGE_BYTES, open_reader, open_writer

BETS = 40_000
BETS_PER_ROUND = 20_000
ROUND_MS = 7_000
TOUCHED_ROWS = 4
"""Rows of the grid above and below the price that are hit: a third of the bets are won."""
INNER = (2, 5)
"""Kinds of pages that lead to others (https://sqlite.org/fileformat2.html#b_tree_pages)."""
OF_PLAYERS = ("users", "delegations", "player_keys")
"""What grows with the players."""

SEALED_NAME = "UPDATE users SET opened_by = ? WHERE id = ?"

Sessions = dict[str, tuple[str, str]]
"""The login and the session key of each player."""


def fill(path: Path, bets: int, settings: Settings) -> None:
    """Have the writer place so many bets of players with sessions, a hundred a commit, and settle them."""
    clock = SystemClock()
    now_ms, sessions = clock.now_ms(), _sessions(path, clock)
    for number, first in enumerate(range(0, bets, BETS_PER_ROUND)):
        at_ms = now_ms + number * ROUND_MS
        table = Table(path, settings, at_ms, 0)
        table.database.execute("PRAGMA synchronous = off")
        for batch in range(0, min(BETS_PER_ROUND, bets - first), BETS_PER_COMMIT):
            table.commit([_signed(bet, sessions) for bet in table.bets(batch)])
        settle(table, settings, at_ms)
        table.database.checkpoint("TRUNCATE")
        table.database.close()


def _sessions(path: Path, clock: SystemClock) -> Sessions:
    """Create the database; return a login and its session key for each player."""
    database, now_ms = create(path, clock), clock.now_ms()
    sessions: Sessions = {}
    seals = Seals(database, secrets.token_bytes)
    with database.transaction():
        for number, (user,) in enumerate(database.execute("SELECT id FROM users ORDER BY seq")):
            login, key = new_id(now_ms), f"0x{secrets.token_hex(20)}"
            seal = seals.of(user)
            if seal is None:
                raise BenchFailed("a new player has no key")
            sealed = seal.close_signer(key, login, user)
            database.execute(SEALED_NAME, (seal.close(f"0x{number:040x}", about("address", user)), user))
            database.execute(SQL["insert_delegation"], (login, user, sealed, "", "", now_ms, 1, number, key))
            sessions[user] = login, key
    database.close()
    return sessions


def _signed(bet: PlaceBet, sessions: Sessions) -> PlaceBet:
    login, key = sessions[bet.user_id]
    return structs.replace(bet, delegation_id=login, signer=key)


def settle(table: Table, settings: Settings, at_ms: int) -> None:
    """Settle the bets of the table's column, in slices as the writer does."""
    settlement = Settlement(table.book, table.rules, table.model)
    command = column_ends(table.column_s, settings.column_seconds, at_ms, TOUCHED_ROWS)
    with table.book.commit(lambda _: None) as commit:
        begin_column(commit, table.book, command)
    settlement.look()
    while settlement.open:
        with table.book.commit(lambda _: None) as commit:
            settlement.slice(commit)


def _leave_out_what_stays(path: Path) -> None:
    """Take out what no archive holds."""
    database = open_writer(path)
    with database.transaction():
        database.execute("DELETE FROM player_keys")
        database.execute("UPDATE users SET wallet_address = 'not-stored-here:' || lower(id)")
        database.execute("UPDATE delegations SET found_by = NULL")
    database.close()


def bytes_by_name(path: Path) -> dict[str, int]:
    """Return what the pages of each table and index take, the largest first."""
    database = open_reader(path)
    roots = database.execute("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0")
    database.close()
    data = path.read_bytes()
    found = {name: PAGE_BYTES * _pages(data, root) for name, root in roots}
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def _pages(data: bytes, root: int) -> int:
    count, left = 0, [root]
    while left:
        start, count = (left.pop() - 1) * PAGE_BYTES, count + 1
        header = start or 100
        if data[header] in INNER:
            cells = struct.unpack_from(">H", data, header + 3)[0]
            pointers = struct.unpack_from(f">{cells}H", data, header + 12)
            left += [struct.unpack_from(">I", data, start + at)[0] for at in (*pointers, header + 8 - start)]
    return count


def main(arguments: Sequence[str]) -> int:
    """Fill a database and tell what its bets take."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.disk_space", description=__doc__)
    parser.add_argument("--bets", type=int, default=BETS, help=f"how many; else {BETS}")
    bets = parser.parse_args(arguments).bets
    with tempfile.TemporaryDirectory() as folder:
        path, packed = Path(folder, "taptrade.db"), Path(folder, "packed.db")
        fill(path, bets, load({"TAPTRADE_DATA": folder}))
        taken = {name: size for name, size in bytes_by_name(path).items() if not any(of in name for of in OF_PLAYERS)}
        _leave_out_what_stays(path)
        pack(path, packed)
        compress(packed, Path(f"{packed}.zst"), lambda: False)
        rows = [(name, size / bets) for name, size in taken.items()]
        rows += [("live", sum(taken.values()) / bets), ("archived", Path(f"{packed}.zst").stat().st_size / bets)]
    sys.stdout.write("".join(f"{name:<32}{size:>8.1f}\n" for name, size in rows if size >= 1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
