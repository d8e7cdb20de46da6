"""What a writer that is one of several does before it commits: it asks the house for limits, and what decided a column.

What bets may pay is asked for all that are about to be judged, ahead and at once; what they do not use is given back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from jobs.writer.book import Book
from jobs.writer.gestures import each_bet
from jobs.writer.inbox import TakenJob
from jobs.writer.rules import WriterRules
from runtime.game.columns import EVIDENCE_FIELDS, evidence_row
from runtime.game.grid import parse_cell
from runtime.game.leases import Asked, LeasedExposure
from runtime.game.money import payout_cents
from runtime.game.ticks import Tick
from runtime.messaging.commands import BETS, Batch, SettleColumn
from runtime.postgresql.house import House

RATE_MARGIN = 50
"""A bet is judged some milliseconds after its lease was asked for: its rate may be higher by one part in so many."""


class Share:
    """One writer's part of the house. All methods raise what the database raises."""

    def __init__(self, book: Book, house: House, rules: WriterRules) -> None:
        self._book = book
        self._house = house
        self._rules = rules
        self._rates: dict[str, int] = {}
        self._rated_by = 0

    def before(self, jobs: list[TakenJob], tick: Tick | None) -> list[TakenJob]:
        """Ask for what jobs will need; return them with the evidence that stands for the house."""
        jobs = [self._with_evidence(job) for job in jobs]
        self._book.require_same_epoch()
        exposure = self._book.exposure
        if tick is not None and isinstance(exposure, LeasedExposure):
            short = exposure.short(self._asked(jobs, tick))
            if short:
                exposure.lend(self._house.lease(exposure.excess() | short, self._book.risk))
        return jobs

    def after(self) -> None:
        """Give back what is lent and not needed; what a later shard's writer may not know yet is left as it is."""
        exposure = self._book.exposure
        if isinstance(exposure, LeasedExposure):
            self._book.require_same_epoch()
            excess = exposure.excess()
            if excess:
                exposure.lend(self._house.lease(excess, self._book.risk))

    def forget(self) -> None:
        """Forget leases of columns that nobody bets on any more."""
        self._house.forget_leases(self._book.open_from_s())

    def _asked(self, jobs: Iterable[TakenJob], tick: Tick) -> Iterable[Asked]:
        """Yield what bets may pay at most, of those that a tick offers."""
        if tick.id != self._rated_by:
            self._rates, self._rated_by = {}, tick.id
        presets = self._rules.presets_cents
        for job in jobs:
            commands = job.batch.commands if job.batch else ()
            for bet in each_bet([one for one in commands if isinstance(one, BETS)]):
                cell = parse_cell(bet.cell_id, self._rules.grid) if bet.amount in presets else None
                if cell is not None:
                    rate_bp = self._rates.get(bet.cell_id)
                    if rate_bp is None:
                        rate_bp = self._rules.model.rate_bp(cell, tick, self._book.now_ms()) or 0
                        self._rates[bet.cell_id] = rate_bp
                    if rate_bp:
                        yield cell.start_s, bet.cell_id, payout_cents(bet.amount, rate_bp + rate_bp // RATE_MARGIN + 1)

    def _with_evidence(self, job: TakenJob) -> TakenJob:
        batch = job.batch
        if batch is None or not any(isinstance(one, SettleColumn) for one in batch.commands):
            return job
        commands = [self._decided(one) if isinstance(one, SettleColumn) else one for one in batch.commands]
        return replace(job, batch=Batch(batch.origin, commands))

    def _decided(self, command: SettleColumn) -> SettleColumn:
        """Return a column's command with what decided it for the house, which another shard may have said first."""
        offered = dict(zip(EVIDENCE_FIELDS, evidence_row(command), strict=True))
        stands = self._house.evidence_of(command.start_s, msgspec.json.encode(offered))
        return msgspec.structs.replace(command, **msgspec.json.decode(stands))
