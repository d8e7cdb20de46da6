"""Weeks of play at a writer's desk, and the archiver that puts them away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jobs.upkeep.archive import Archiver
from jobs.upkeep.archive_store import ArchiveStore, FolderStore
from jobs.writer.archives import Trimmer
from runtime.archive.manifest import Manifest
from runtime.archive.weeks import DAY_MS, Week, week_of
from runtime.audit import audit
from runtime.game.grid import parse_cell
from runtime.messaging.commands import Adjust, CompleteWithdrawal, Deposit, Outcome, RecordArchive, SetLimits, Withdraw
from runtime.settings import Settings, load
from tests.jobs.writer_desk import PRICE_CENTS, RULES, Desk


class Shelf:
    """What is played, and where its weeks go."""

    def __init__(self, desk: Desk, folder: Path, store: ArchiveStore | None = None) -> None:
        self.desk = desk
        self.settings: Settings = load({"TAPTRADE_DATA": str(folder), "TAPTRADE_REDIS_URL": desk.redis_url})
        self.store = store or FolderStore(folder / "archives")
        self.players: list[str] = []
        self.weeks: list[Week] = []

    def play_week(self, *, open_over_its_end: bool = True) -> Week:
        """Play a little on a day of the week, and over its end; stand in the next week afterwards."""
        desk, week = self.desk, week_of(self.desk.clock.now_ms())
        number = len(self.weeks) + 1
        self.players.append(desk.player(10 + number))
        self._move_money(number)
        self.bets(*self.players)
        self.at(week.monday_ms + 3 * DAY_MS + number * 1000)
        self.bets(self.players[-1])
        self.at(week.end_ms - 12_000)
        if open_over_its_end:
            early, late = desk.bet(self.players[0], columns=2), desk.bet(self.players[0], columns=5)
            desk.place(early, late, desk.bet(self.players[-1], columns=9, amount=7))
            self.settle(early)
            self.at(week.end_ms + 20_000)
            self.settle(late)
        self.at(week.end_ms + 3_600_000)
        self.weeks.append(week)
        return week

    def bets(self, *players: str) -> None:
        """Place bets that win, lose and are refused, and settle them a minute later."""
        bets = [self.desk.bet(one, rows=at) for at, one in enumerate(players)]
        refused = [self.desk.bet(one, columns=8, amount=7) for one in players]
        self.desk.place(*bets, *refused)
        self.desk.clock.advance(60_000)
        self.settle(bets[0])

    def settle(self, bet: Any) -> None:
        """Settle a bet's column on a price that stands still."""
        cell = parse_cell(bet.cell_id, RULES)
        assert cell is not None
        self.desk.settle(cell.start_s, PRICE_CENTS, PRICE_CENTS)

    def _move_money(self, number: int) -> None:
        desk, player = self.desk, self.players[-1]
        now_ms = desk.clock.now_ms()
        common: dict[str, Any] = {"received_ms": now_ms, "decided_by_ms": now_ms + 10_000, "user_id": player}
        words: dict[str, Any] = {"who": "op", "why": "test"}
        signed: dict[str, Any] = {"nonce": f"nonce{number:04}", "signed_at_s": 1, "signature": "0x"}
        desk.do(
            Deposit(id=desk.new_id(), amount=500, reference=f"wire-{number}", **words, **common),
            Adjust(id=desk.new_id(), amount=-30, reference=f"fix-{number}", **words, **common),
            SetLimits(id=desk.new_id(), stake_day_max_cents=100_000, **common),
        )
        taken = Withdraw(id=desk.new_id(), amount=100, **signed, **common)
        desk.do(taken)
        if number > 1:
            self._complete(number, words)

    def _complete(self, number: int, words: dict[str, Any]) -> None:
        """Complete the withdrawal that was asked for in the week before."""
        desk, now_ms = self.desk, self.desk.clock.now_ms()
        ((pending,),) = desk.database.execute(
            "SELECT min(id) FROM withdrawals WHERE status = 'pending' AND requested_at < ?", (now_ms - DAY_MS,)
        )
        ended: dict[str, Any] = {"received_ms": now_ms, "decided_by_ms": now_ms + 10_000, "withdrawal_id": pending}
        desk.do(CompleteWithdrawal(id=desk.new_id(), reference=f"tx-{number}", **words, **ended))

    def at(self, ms: int) -> None:
        """Move the clock, and show a fresh price."""
        self.desk.clock.advance(ms - self.desk.clock.now_ms())
        self.desk.show(PRICE_CENTS)

    def on_sunday(self) -> None:
        """Go to the Sunday on which the last week that was played is due."""
        self.at(self.weeks[-1].end_ms + 6 * DAY_MS)

    def ask(self, command: RecordArchive) -> Outcome | None:
        """Ask the desk's writer."""
        return self.desk.do(command)[0]

    def archiver(self) -> Archiver:
        """Return an archiver that remembers nothing."""
        return Archiver(self.settings, self.store, self.ask, self.desk.clock, lambda *_: None)

    def archive(self) -> list[Manifest]:
        """Archive what is due and let go of it."""
        made = self.archiver().run()
        self.trim()
        return made

    def trim(self) -> int:
        """Let the writer let go of all that is archived; return the steps."""
        trimmer, steps = Trimmer(self.desk.database, self.desk.clock), 0
        while trimmer.step():
            steps += 1
        return steps

    def faults(self) -> list[str]:
        """Audit the live database."""
        return audit(self.desk.database).faults

    def live(self, table: str) -> list[tuple[Any, ...]]:
        """Return what is in a table of the live database."""
        return self.desk.database.execute(f"SELECT * FROM {table} ORDER BY 1")
