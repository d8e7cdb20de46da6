"""The spike's tables."""

from __future__ import annotations

from loadtest.bench.report import machine_sentence, table
from loadtest.spike.results import Phase, Second, Spike, complaints

SHOWN_EVERY_S = 3


def section(spike: Spike) -> str:
    """Write the section of docs/performance.md."""
    wrong = complaints(spike)
    again = "never within a minute" if spike.recovered_s is None else f"{spike.recovered_s:.0f} s after its last answer"
    died = ", ".join(spike.died) or "none"
    parts = [
        "    make spike",
        machine_sentence(spike.machine),
        (
            f"{spike.rate:,} bets a second at the top, over {spike.connections:,} connections. Processes that died: "
            f"{died}; p99 below 100 ms again: {again}. While the top was held, {spike.held_committed_per_s:,.0f} bets "
            f"a second were committed and {spike.held_others_per_s:,.0f} answered otherwise. {spike.audit.summary}."
        ),
        f"**{'; '.join(wrong)}**" if wrong else "Every 503 carried Retry-After.",
        table(
            ["phase", "sent", "committed", "p50 ms", "p99 ms", "max ms", "all p99 ms", "left late p99 ms", "errors"],
            [_phase_row(one) for one in spike.phases],
        ),
        "p50, p99 and max are of the committed bets alone. The spike by its seconds, all counted from its start:",
        table(
            ["second", "committed", "other answers", "bets waiting for the writer", "API MB"],
            [_second_row(one) for one in spike.seconds if one.at_s % SHOWN_EVERY_S == 0],
        ),
    ]
    return "\n\n".join(parts)


def _phase_row(one: Phase) -> list[str]:
    errors = ", ".join(f"{count:,} {code}" for code, count in one.errors.items()) or "0"
    figures = [f"{ms:,.1f}" for ms in (one.p50_ms, one.p99_ms, one.max_ms, one.all_p99_ms, one.late_p99_ms)]
    return [one.name, f"{one.sent:,}", f"{one.committed:,}", *figures, errors]


def _second_row(one: Second) -> list[str]:
    return [f"{one.at_s}", f"{one.committed:,}", f"{one.errors:,}", f"{one.backlog_bets:,}", f"{one.api_mb:.0f}"]
