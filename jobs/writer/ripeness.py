"""Which jobs can be judged now, and which wait for a tick from after the fill delay of their bets."""

from __future__ import annotations

from collections.abc import Iterable

from jobs.writer.inbox import BETS_SLICE, TakenJob
from runtime.game.ticks import Tick
from runtime.messaging.commands import BETS


def part_ripe(
    jobs: Iterable[TakenJob], tick: Tick | None, now_ms: int, patience_ms: int
) -> tuple[list[TakenJob], list[TakenJob]]:
    """Part jobs into those that wait no longer, a slice of them at most, and the others, each in their order."""
    ripe: list[TakenJob] = []
    aside: list[TakenJob] = []
    left = BETS_SLICE
    for job in jobs:
        if left > 0 and is_ripe(job, tick, now_ms, patience_ms):
            ripe.append(job)
            left -= job.commands
        else:
            aside.append(job)
    return ripe, aside


def is_ripe(job: TakenJob, tick: Tick | None, now_ms: int, patience_ms: int) -> bool:
    """Tell whether every bet of a job can be judged: there is a tick from after its delay, or it is too late."""
    commands = job.batch.commands if job.batch else []
    delayed = [command for command in commands if isinstance(command, BETS) and command.fill_delay_ms]
    tick_ms = tick.id if tick else 0
    return all(
        tick_ms > bet.wait_ends_ms() or now_ms > min(bet.wait_ends_ms() + patience_ms, bet.decided_by_ms)
        for bet in delayed
    )
