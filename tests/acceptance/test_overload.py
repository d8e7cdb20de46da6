"""More bets than are answered: who finds no room is told at once, nobody else notices, nothing is lost."""

from __future__ import annotations

import signal
import socket
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from loadtest.open_loop import head_of, problem_code, request_of, split_answer
from runtime.betting.admission import PACE_LEAST, WAIT_S
from runtime.clock import SystemClock
from taptrade.wallet import sign_bet
from tests.acceptance.crowd import NOT_NOW, Player, code_of
from tests.acceptance.system import System
from tests.waiting import wait_until

BETS_LEAST = int(PACE_LEAST * WAIT_S)
TOO_MANY = 100
CHOICE = 30
ANSWER_S_MAX = 20
pytestmark = pytest.mark.timeout(120)


def requests(player: Player, count: int) -> list[bytes]:
    """Return so many bets on one cell, of which the writer will take one."""
    # They must be on their way before its column closes, however long a busy machine takes to send them.
    tap = max(player.signed_bets(CHOICE), key=lambda bet: int(bet.cell_id.partition("_")[0]))
    settings, now_ms = player.system.settings, SystemClock().now_ms()
    head = head_of("POST", "/api/bets", settings.domain, player.token)
    bets = [
        sign_bet(
            player.key, tap.cell_id, amount_cents=100, min_rate_bp=10_000, chain_id=settings.chain_id, now_ms=now_ms
        )
        for _ in range(count)
    ]
    return [request_of(head, msgspec.json.encode(bet)) for bet in bets]


def answer(peer: socket.socket) -> str:
    """Read one answer: its status, or the code of a refusal; a 503 must say when to come back."""
    data = b""
    while (found := split_answer(data)) is None:
        more = peer.recv(65_536)
        assert more, "closed without an answer"
        data += more
    status, body = found
    code = str(status) if status < 400 else problem_code(status, body)
    # What is away is told by the rest of the answer only.
    return body.decode() if code == "UNAVAILABLE" else code


def test_while_the_writer_stands_still_only_so_many_wait_for_it(tmp_path: Path) -> None:
    with System(tmp_path / "data", column_seconds="5") as system, ExitStack() as stack:
        player = Player(system)
        address = ("127.0.0.1", system.settings.port)
        bets = requests(player, BETS_LEAST + TOO_MANY)
        peers = [stack.enter_context(socket.create_connection(address, timeout=ANSWER_S_MAX)) for _ in bets]
        system.kill("writer", signal.SIGSTOP)
        try:
            for peer, bet in zip(peers, bets, strict=True):
                peer.sendall(bet)
            answers = Counter(map(answer, peers))
        finally:
            system.kill("writer", signal.SIGCONT)
        # Where the API is slow to read them all, its lag refuses some more.
        assert set(answers) == {"202", "OVERLOADED"}
        assert answers["202"] <= BETS_LEAST
        wait_until(lambda: player.rows("SELECT count(*) FROM bets WHERE user_id = ?") == [(answers["202"],)], 20)

        def next_bet() -> bool:
            [bet] = player.signed_bets(1)
            code = code_of(player.send("POST", "/api/bets", bet))
            assert code in {"201", "DUPLICATE_BET", *NOT_NOW}
            return code == "201"

        wait_until(next_bet, 20, what="a bet that is taken as before")
        report = system.audit()
        assert report.ok, report.faults
