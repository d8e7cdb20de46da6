"""Taps: which cells, which players, and that the server would recognise the signature."""

from __future__ import annotations

from random import Random

import msgspec
from coincurve import PrivateKey

from loadtest.open_loop import head_of
from loadtest.traffic import COLUMNS, FLOOR_BP, RATE_BP_MAX, RATE_BP_MIN, Board, NothingOffered, Player, Taps
from runtime.auth.bet_text import bet_text
from runtime.auth.signatures import address_of, recover_text
from runtime.clock import ManualClock
from taptrade.views import ColumnView, GridView, PriceView, RowView, SignedBet

WIDTH_S = 5
CURRENT_S = 1_790_000_000
NOW_MS = CURRENT_S * 1000 + 2_500
PLAYERS = 3
GOOD_BP = (RATE_BP_MIN + RATE_BP_MAX) // 2


def grid(now_ms: int = NOW_MS, rates: tuple[int | None, ...] = (GOOD_BP, GOOD_BP)) -> GridView:
    current_s = now_ms // 1000 // WIDTH_S * WIDTH_S
    starts = [current_s + WIDTH_S * place for place in range(2, 7)]
    return GridView(
        mode="demo",
        grid_version=1,
        server_time_ms=now_ms,
        price=PriceView(9_400_000, now_ms),
        columns=tuple(ColumnView(start, start * 1000, (start + WIDTH_S) * 1000) for start in starts),
        rows=tuple(RowView(500 * row, 500 * row + 500) for row in range(len(rates))),
        rates_bp=(rates,) * len(starts),
        presets_cents=(100,),
        column_seconds=WIDTH_S,
    )


def board(*grids: GridView) -> Board:
    made = Board(PLAYERS, Random(1))
    for one in grids:
        made.show(one)
    return made


def all_taps(of: Board) -> list[tuple[str, int]]:
    taps: list[tuple[str, int]] = []
    try:
        while True:
            taps.append(of.next())
    except NothingOffered:
        return taps


def test_each_player_taps_each_cell_once() -> None:
    taps = all_taps(board(grid()))
    assert len(taps) == len(set(taps)) == COLUMNS * 2 * PLAYERS
    assert len({cell for cell, _ in taps}) == COLUMNS * 2


def test_a_new_grid_forgets_no_tap() -> None:
    of = board(grid())
    first = [of.next() for _ in range(7)]
    of.show(grid(NOW_MS + 250))
    rest = all_taps(of)
    assert not set(first) & set(rest)
    assert len(first) + len(rest) == COLUMNS * 2 * PLAYERS


def test_column_that_closes_soon_is_left_alone() -> None:
    # k+2 takes bets until k+1 begins, which is in 2.5 s.
    assert {int(cell.split("_")[0]) for cell, _ in all_taps(board(grid()))} == {
        CURRENT_S + WIDTH_S * place for place in range(3, 3 + COLUMNS)
    }


def test_only_middling_rates_are_tapped() -> None:
    taps = all_taps(board(grid(rates=(None, RATE_BP_MIN - 1, RATE_BP_MIN, RATE_BP_MAX, RATE_BP_MAX + 1))))
    assert {int(cell.split("_")[1]) for cell, _ in taps} == {1000, 1500}


def test_tap_is_signed_by_the_session_key() -> None:
    players = [
        Player(
            bytes([index]) * 32, PrivateKey(bytes([100 + index]) * 32), head_of("POST", "/api/bets", "a", f"t{index}")
        )
        for index in range(1, PLAYERS + 1)
    ]
    taps = Taps(players, 1, ManualClock(NOW_MS), signed=True)
    taps.board.show(grid())
    nonces = set()
    for _ in range(COLUMNS * 2 * PLAYERS):
        request, tag = taps.request()
        head, _, body = request.partition(b"\r\n\r\n")
        bet = msgspec.json.decode(body, type=SignedBet)
        text = bet_text(bet.cell_id, bet.amount, bet.min_rate_bp, bet.nonce, bet.timestamp, 1)
        assert recover_text(text, bet.signature) == address_of(players[tag].session_key.secret)
        assert f"Bearer t{tag + 1}\r\n".encode() in head
        assert (bet.timestamp, bet.min_rate_bp) == (NOW_MS // 1000, FLOOR_BP)
        nonces.add(bet.nonce)
    assert len(nonces) == COLUMNS * 2 * PLAYERS


def test_only_a_committed_bet_is_no_error() -> None:
    taps = Taps([], 1, ManualClock(NOW_MS), signed=True)
    assert taps.answered(0, 201, b"{}") == ""
    assert taps.answered(0, 202, b"{}") == "PENDING"
    assert taps.answered(0, 409, b'{"code":"CELL_CLOSED"}') == "CELL_CLOSED"
