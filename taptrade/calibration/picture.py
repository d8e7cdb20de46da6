"""The picture of a report: how far predictions can be relied on, and what each bucket returned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from taptrade.calibration.report import Report
from taptrade.calibration.returns import Estimate

INK, PALE, MARK = "#1a1a1a", "#9a9a9a", "#1f5fa8"
SIZE_INCHES = (9.0, 4.0)


def draw(report: Report, path: Path) -> None:
    """Write the picture as a PNG file."""
    figure = Figure(figsize=SIZE_INCHES, dpi=110, facecolor="white", layout="constrained")
    left, right = figure.subplots(1, 2)
    _reliability(left, report)
    _buckets(right, report)
    for axes in (left, right):
        axes.tick_params(colors=INK, which="both")
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{report.id} {report.version}", color=INK, fontsize=10)
    figure.savefig(path, format="png", metadata={"Software": None})


def _reliability(axes: Any, report: Report) -> None:
    rows = [(each.predicted, each.touched) for each in report.counted.reliability if each.touched.value]
    axes.set_title("of cells of a predicted probability, the share touched", color=INK, fontsize=9)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.plot([0.008, 1], [0.008, 1], color=PALE, linewidth=1)
    _points(axes, [predicted for predicted, _ in rows], [estimate for _, estimate in rows])
    ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.set_ticks([], minor=True)
    axes.set_xlim(0.008, 1)
    axes.set_ylim(0.008, 1)
    axes.set_xlabel("predicted", color=INK)
    axes.set_ylabel("touched", color=INK)


def _buckets(axes: Any, report: Report) -> None:
    rows = [each for each in report.counted.buckets if each.estimate.value is not None]
    axes.set_title("returned per 1 staked, by rate, with 99 % intervals", color=INK, fontsize=9)
    axes.axhline(1.0, color=PALE, linewidth=1, linestyle="dotted")
    axes.axhline(report.fair, color=PALE, linewidth=1)
    _points(axes, list(range(len(rows))), [each.estimate for each in rows])
    axes.set_xticks(range(len(rows)), [f"{each.first:g}–{each.last:g}×" for each in rows], fontsize=8)
    axes.set_xlim(-0.5, max(len(rows), 1) - 0.5)
    axes.set_ylim(*_limits([each.estimate for each in rows], report.fair))
    axes.set_xlabel("rate", color=INK)


def _points(axes: Any, at: list[float] | list[int], estimates: list[Estimate]) -> None:
    values = [each.value or 0.0 for each in estimates]
    below = [max(0.0, value - (each.low or 0.0)) for value, each in zip(values, estimates, strict=True)]
    above = [max(0.0, (each.high or 0.0) - value) for value, each in zip(values, estimates, strict=True)]
    axes.errorbar(at, values, yerr=[below, above], fmt="o", color=MARK, markersize=4, linewidth=1, capsize=2)


def _limits(estimates: list[Estimate], fair: float) -> tuple[float, float]:
    """Return a range that holds the intervals, not one that is blown up by a bucket of which little is known."""
    lows = [each.low for each in estimates if each.low is not None]
    highs = [each.high for each in estimates if each.high is not None]
    return max(0.0, min([fair - 0.15, *lows]) - 0.03), min(4.0, max([fair + 0.15, *highs]) + 0.03)
