"""The report for people: tables on a terminal, tab-separated lines elsewhere."""

from __future__ import annotations

from taptrade.calibration.report import Report, told
from taptrade.calibration.returns import Estimate
from taptrade.tables import show_table

NUMBERS = ("bets", "bets a day", "returned", "99 % from", "to", "taps", "share")


def show(report: Report) -> None:
    """Print everything that it found."""
    counted = report.counted
    print(f"{report.id} {report.version}: {report.fair:g} per 1 staked is fair")
    print(f"all shown cells tapped: {counted.overall.bets} bets returned {told(counted.overall)}")
    if counted.offered_median is not None:
        print(f"offered at the median moment: {counted.offered_median:.0%} of the shown cells")
    _table(("rate",), [((f"{each.first:g}x to {each.last:g}x",), each.estimate) for each in counted.buckets])
    _table(("column",), [((f"k+{column}",), each) for column, each in counted.columns])
    _table(("rule", "bets a day"), [((each.name, str(each.bets_a_day)), each.estimate) for each in counted.rules])
    _table(
        ("300 ms ahead: delay, ms", "floor", "tapping from", "taps"),
        [
            (
                (
                    str(each.fill_delay_ms),
                    f"{each.floor:.0%}" if each.floor else "none",
                    f"{each.estimate:g}",
                    str(each.taps),
                ),
                each.filled,
            )
            for each in report.head_start
        ],
    )
    if report.adversary:
        _table(
            ("adversary expects more than", "share"),
            [((f"{above:g}", f"{share:.0%}"), each) for above, share, each in report.adversary.by_threshold],
        )
    print()


def _table(named: tuple[str, ...], rows: list[tuple[tuple[str, ...], Estimate]]) -> None:
    print()
    columns = (*named, "bets", "returned", "99 % from", "to")
    show_table(columns, [(*names, each.bets, *_figures(each)) for names, each in rows], right=NUMBERS)


def _figures(each: Estimate) -> list[str]:
    return ["" if value is None else f"{value:.3f}" for value in (each.value, each.low, each.high)]
