"""The page's own arithmetic, asked in the browser: the stream's grammar, signed texts, low s, where cells lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from runtime.auth.bet_text import bet_text
from runtime.game.money import dollars
from taptrade.client.stream import SseParser
from tests.acceptance.system import System
from tests.page import chromium
from tests.page.watch import Watch

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
STREAM = (
    "retry: 1200\n\n: heartbeat\n\nevent: hello\nid: a.1\ndata: {}\n\r\n"
    "event: price\r\nid: a.2\r\ndata: 1\r\ndata: 2\r\n\r\nid: a.3\revent:bet\rdata:x\r\r"
    "data\n\nevent: none\n\ndata: é\n\n"
)


@pytest.fixture(scope="module")
def ask(house: System, browser: Browser) -> Iterator[Any]:
    """Return what evaluates an expression with one module of the page as `it`."""
    with chromium.calm(browser) as context:
        watch = Watch(context, urlsplit(house.url).netloc)
        page = context.new_page()
        page.goto(house.url)

        def ask(module: str, expression: str, argument: object = None) -> Any:
            return page.evaluate(f"(given) => import('/page/{module}').then((it) => {expression})", argument)

        yield ask
    assert watch.faults == []


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_the_stream_is_cut_as_the_other_client_cuts_it(ask: Any, size: int) -> None:
    parser = SseParser()
    theirs = [[event.type, event.id, event.data.decode()] for event in parser.feed(STREAM.encode())]
    chunks = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    cut = "((p) => [given.flatMap((c) => p.feed(c)).map((e) => [e.type, e.id, e.data]), p.retryMs])(new it.SseParser())"
    assert ask("client/sse.js", cut, chunks) == [theirs, 1_200]
    assert len(theirs) == 5


def test_a_bets_text_is_the_servers(ask: Any) -> None:
    bet = {
        "cell_id": "1700000000_100_200",
        "amount": 500,
        "min_rate_bp": 12_345,
        "nonce": "ab" * 16,
        "timestamp": 1_700_000_001,
    }
    theirs = bet_text("1700000000_100_200", 500, 12_345, nonce="ab" * 16, timestamp=1_700_000_001, chain_id=10)
    assert ask("client/sign.js", "it.betText(given, 10)", bet) == theirs


def test_the_floor_is_three_percent_below_and_never_below_even_money(ask: Any) -> None:
    assert ask("client/sign.js", "given.map(it.floorBp)", [10_500, 10_309, 20_000, 33_333]) == [
        10_185,
        10_000,
        19_400,
        32_333,
    ]
    assert ask("client/sign.js", "it.floorBp(10_000)") == 10_000


@pytest.mark.parametrize("s", [1, ORDER // 2, ORDER // 2 + 1, ORDER - 1])
def test_of_s_and_its_opposite_the_lower_is_sent(ask: Any, s: int) -> None:
    digits = ask("client/key.js", "it.lowS(given)", "ab" * 32 + f"{s:064x}")
    assert digits == "ab" * 32 + f"{min(s, ORDER - s):064x}"


def test_a_point_on_the_board_is_the_cell_that_is_drawn_there(ask: Any) -> None:
    found = ask(
        "game/geometry.js",
        """((g) => {
          g.fit(1000, 600, { columnMs: 5000, stepCents: 500, columns: 12 });
          g.follow(12_345_678, 16, false);
          g.look(1_700_000_002_345, 2);
          const cell = g.cellAt(700, 200);
          const box = g.box(cell);
          const middle = g.cellAt(box.x + box.w / 2, box.y + box.h / 2);
          return [cell, middle, box.x <= 700 && 700 <= box.x + box.w + 2, g.cellAt(g.nowX - 5, 200), g.cellAt(-1, 0)];
        })(new it.Geometry())""",
    )
    cell, middle, holds, past, outside = found
    assert cell == middle
    assert holds
    assert past is None
    assert outside is None
    assert cell["startS"] % 5 == 0
    assert cell["lowCents"] % 500 == 0


def test_dollars_are_written_as_the_server_writes_them(ask: Any) -> None:
    amounts = [0, 5, 1_234_567]
    assert ask("format.js", "given.map(it.money)", amounts) == [dollars(cents) for cents in amounts]


TAP_TWICE = """import("/page/client/api.js").then(({ ApiError, LineError }) => {
  const answers = given.map((one) => (one === "lost" ? new LineError() : new ApiError(429, { code: one }, 10)));
  const post = async () => {
    if (answers.length > 0) throw answers.shift();
    return { bet: { id: "b" } };
  };
  return new it.Delivery({ post }).send({}, { onUnknown() {}, isKnown: () => false });
})"""


def test_a_full_limit_says_nothing_of_a_bet_whose_answer_was_lost(ask: Any) -> None:
    assert ask("client/delivery.js", TAP_TWICE, ["lost", "RATE_LIMITED"])["bet"] == {"id": "b"}
    assert ask("client/delivery.js", TAP_TWICE, ["RATE_LIMITED"])["code"] == "RATE_LIMITED"


TABLE = """(() => {
  const grid = {
    columns: [{ start_s: 10, opens_ms: 10_000 }],
    rows: [{ low_cents: 100, high_cents: 200 }],
    price: { cents: 150 },
  };
  const board = { offer: { grid, isOpen: () => true, rateBp: () => 15_000 } };
  const state = { on: (_, hear) => hear() };
  performance.now = () => given;  // since the page was opened
  try {
    new it.CellTable({ state, board, clock: { nowMs: () => 0 }, taps: { standing: () => null } });
  } finally {
    delete performance.now;
  }
  const table = document.querySelector("#cells > table:last-child");
  table.remove();
  return [...table.querySelectorAll("td button")].map((button) => button.textContent);
})()"""


def test_the_table_has_its_cells_with_the_first_grid(ask: Any) -> None:
    assert ask("game/table.js", TABLE, 5) == ["1.50x"]
