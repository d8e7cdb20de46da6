"""What the writer needs of the settings, and who judges by it."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.writer.book import Book
from runtime.game.buckets import Bucket
from runtime.game.grid import GridRules
from runtime.game.judge import Judge, TicksOfWait
from runtime.game.ledger import Commit
from runtime.game.limits import RiskLimits
from runtime.game.rewards import RewardModel
from runtime.game.ticks import Tick
from runtime.market.models import rules_of
from runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class WriterRules:
    """The rules of the house, as this writer holds to them."""

    grid: GridRules
    model: RewardModel
    presets_cents: tuple[int, ...]
    max_fill_age_ms: int
    withdrawal_min_cents: int
    withdrawals_pending_max: int
    ticks_of_wait: TicksOfWait
    reality_check_minutes: int
    records_kept_days: int

    @classmethod
    def of(cls, settings: Settings, model: RewardModel, ticks_of_wait: TicksOfWait) -> WriterRules:
        """Return the rules that the settings say."""
        return cls(
            rules_of(settings),
            model,
            settings.presets_cents,
            settings.max_fill_age_ms,
            settings.withdrawal_min_cents,
            settings.withdrawals_pending_max,
            ticks_of_wait,
            settings.reality_check_minutes,
            settings.records_kept_days,
        )

    def judge(self, commit: Commit, book: Book, tick: Tick | None, closed: frozenset[Bucket]) -> Judge:
        """Return what judges the bets of a commit by its newest tick, with some buckets closed."""

        def totals(user_id: str, from_id: str) -> tuple[int, int]:
            # The stakes of this very commit count too.
            commit.write_entries()
            return book.day_totals.since(user_id, from_id)

        return Judge(
            rules=self.grid,
            model=self.model,
            tick=tick,
            now_ms=commit.now_ms,
            newest_column_s=book.newest_column_s,
            max_fill_age_ms=self.max_fill_age_ms,
            presets_cents=self.presets_cents,
            exposure=book.exposure,
            limits_of=book.limits_of,
            totals_since=totals,
            ticks_of_wait=self.ticks_of_wait,
            closed=closed,
        )


def risk_of(settings: Settings) -> RiskLimits:
    """Return how much the house risks at most, as the settings say."""
    return RiskLimits(
        settings.payout_max_cents,
        settings.cell_payout_max_cents,
        settings.column_payout_max_cents,
        settings.liability_max_cents,
    )
