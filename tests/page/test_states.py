"""A bet in each of its states, made up where it would take long to come by: no two look or sound alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.page.seat import Seat

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]
STATES = ("pending", "unknown", "confirmed", "touched", "won", "lost", "void", "refused")
ENDED = (("won", -2, 2, 1_250), ("lost", -3, -3, 0), ("void", -2, -4, 500))
LOOKS = """() => Object.fromEntries([...document.querySelectorAll("#bets > li")].map((item) => {
  const { borderLeftColor: color, borderLeftStyle: style } = getComputedStyle(item);
  const [word, sentence] = [".state", ".sentence"].map((name) => item.querySelector(name).textContent);
  return [item.dataset.state, [word, sentence.split(/[:.]/)[0], `${color} ${style}`]];
}))"""


def made_up(seat: Seat) -> list[dict[str, Any]]:
    """Return bets on cells around the price, newest first, as the list of bets has them."""
    grid: Any = seat.page.evaluate("fetch('/api/grid').then((answer) => answer.json())")
    width_s, step = grid["column_seconds"], grid["row_step_cents"]
    now_s = grid["server_time_ms"] // 1000 // width_s * width_s
    low = grid["price"]["cents"] // step * step
    bets: list[dict[str, Any]] = []

    def add(status: str, column: int, row: int, **fields: Any) -> None:
        start_s, low_cents = now_s + column * width_s, low + row * step
        told = {
            "amount": 500,
            "reward_rate": 25_000,
            "min_rate_bp": 24_250,
            "refusal_code": None,
            "refusal_detail": None,
        }
        cell_id = f"{start_s}_{low_cents}_{low_cents + step}"
        at_ms = grid["server_time_ms"] - 5_000
        ids = {"id": f"made-up-{len(bets)}", "cell_id": cell_id, "received_ms": at_ms, "status": status}
        bets.append(told | ids | fields)

    add("refused", 5, -3, refusal_code="RATE_MOVED", reward_rate=None)
    for status, column, row, cents in ENDED:
        add(status, column, row, payout_amount=cents)
    add("confirmed", 7, 4)
    # The price touches these while they run.
    for column in (0, 1, 2, 3):
        for row in (-1, 0, 1):
            add("confirmed", column, row)
    return bets


def test_each_state_has_its_own_word_sentence_and_look(seat: Seat, shoot: Callable[[Page, str], None]) -> None:
    page = seat.page
    page.emulate_media(color_scheme="dark")
    bets = made_up(seat)
    page.route("**/api/bets?limit=60", lambda route: route.fulfill(json={"bets": bets, "next_cursor": None}))
    page.route("**/api/bets/made-up-*", lambda route: route.fulfill(json=one_of(bets, route)))
    lost: list[str | None] = []

    def hear(route: Route) -> None:
        if not lost:
            lost.append(route.request.post_data)
        if route.request.post_data in lost:
            route.abort()

    page.route("**/api/bets", hear)  # the second tap gets no answer at all
    page.reload()
    expect(page.locator("#bets > li[data-state=touched]").first).to_be_visible()
    seat.tap(0.8, 0.3)
    expect(page.locator("#bets > li[data-state=unknown]")).to_be_visible()
    seat.tap(0.86, 0.6)
    for state in STATES:
        expect(page.locator(f"#bets > li[data-state={state}]").first).to_be_visible()
    shoot(page, "states-dark")
    order = page.locator("#bets > li").evaluate_all("(items) => items.map((item) => item.dataset.state)")
    assert [state for state in order if state in ("won", "lost", "void")] == ["won", "void", "lost"], "by their ends"
    looks = page.evaluate(LOOKS)
    assert set(looks) == set(STATES)
    words, sentences, edges = (list(each) for each in zip(*looks.values(), strict=True))
    assert len(set(words)) == len(set(sentences)) == len(STATES)
    assert len(set(edges)) >= len(STATES) - 1
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 844})
    shoot(page, "states-phone-light")
    page.set_viewport_size({"width": 1280, "height": 800})
    shoot(page, "states-light")


def one_of(bets: list[dict[str, Any]], route: Route) -> dict[str, Any]:
    """Return the bet that a request asks for."""
    [bet] = [bet for bet in bets if route.request.url.endswith(f"/{bet['id']}")]
    return {"bet": bet, "evidence": None, "explanation": ""}
