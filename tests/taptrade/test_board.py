"""What a person sees of the game."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from taptrade.board import LiveBoard, PlainBoard, QuietBoard, board, dollars, rate
from taptrade.choice import offers
from taptrade.record import Tap
from tests.taptrade.grids import START_S, bet, grid


def tap(status: str, *, touched: bool = False, why: str = "") -> Tap:
    return Tap(1, offers(grid(), START_S * 1000)[0], bet(status=status), touched=touched, why=why)


@pytest.mark.parametrize(
    ("cents", "text"), [(0, "0.00"), (5, "0.05"), (-185, "-1.85"), (123_456_789, "1,234,567.89"), (-100, "-1.00")]
)
def test_cents_are_written_exactly(cents: int, text: str) -> None:
    assert dollars(cents) == text


def test_rates_are_cut_not_rounded() -> None:
    assert [rate(18_555), rate(1_000_000), rate(None)] == ["1.85x", "100.00x", ""]


@pytest.mark.parametrize(
    ("shown", "line"),
    [
        pytest.param(tap("pending"), "1.00 on 990.00-995.00, 14:13:30-14:13:35", id="pending"),
        pytest.param(tap("confirmed"), "1.00 at 1.85x on 990.00-995.00, 14:13:30-14:13:35", id="confirmed"),
        pytest.param(tap("confirmed", touched=True), "touched   1.00 at 1.85x on 990.00", id="touched"),
        pytest.param(tap("won", why="Won: it touched."), "won       Won: it touched.", id="won"),
    ],
)
def test_a_line_says_what_happened(shown: Tap, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with PlainBoard() as plain:
        plain.show(shown)
    assert line in capsys.readouterr().out


def test_the_table_holds_the_newest_state_of_each_bet() -> None:
    out = io.StringIO()
    with LiveBoard(Console(file=out, width=120, force_terminal=True)) as live:
        live.show(tap("confirmed"))
        live.show(tap("won"))
        live.say("hello")
    last = out.getvalue().rsplit("window (UTC)", 1)[1]
    assert "won" in last
    assert "confirmed" not in last
    assert "hello" in last


def test_without_a_terminal_lines_are_printed_and_quiet_prints_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert type(board(quiet=False, plain=False)) is PlainBoard
    with board(quiet=True, plain=False) as quiet:
        assert type(quiet) is QuietBoard
        quiet.say("x")
        quiet.show(tap("won"))
    assert capsys.readouterr().out == ""
