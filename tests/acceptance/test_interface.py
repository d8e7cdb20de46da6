"""The interface as others' tools take it: generated clients, real wallets, and a machine that tries what is allowed."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from runtime.game.breaker import Override
from runtime.market.breaker import set_override
from runtime.stream.payloads import EXAMPLES
from taptrade.client.stream import SseParser
from taptrade.wallet import Wallet, new_wallet, sign_login
from tests.acceptance.crowd import CLOCK, NOT_NOW, Player
from tests.acceptance.questions import Questions
from tests.acceptance.system import System
from tests.clients.node import Node
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(300)


OPERATOR = new_wallet()
CASES_MIN = 1_000


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Run one system that has an operator and a payment processor."""
    data = tmp_path_factory.mktemp("interface") / "data"
    with System(data, operators=OPERATOR.address, processor_secret="of a processor, forty characters long") as running:
        yield running
        report = running.audit()
        assert report.ok, report.faults


@pytest.fixture(scope="module")
def document(system: System) -> bytes:
    """Return what the house says of itself."""
    return httpx.get(f"{system.url}/openapi.json", trust_env=False).content


def test_a_client_by_openapi_typescript_fits_its_types_and_places_a_bet(
    system: System, document: bytes, tmp_path: Path
) -> None:
    node = Node(tmp_path)
    (tmp_path / "openapi.json").write_bytes(document)
    node.tool("openapi-typescript", "openapi.json", "-o", "schema.d.ts")
    assert ": Record<string, never>" not in (tmp_path / "schema.d.ts").read_text()
    assert node.tool("tsc") == ""
    [told] = map(json.loads, node.script("place_bet.mjs", system.url))
    assert told["same"]
    with system.database() as database:
        [(status,)] = database.execute("SELECT status FROM bets WHERE id = ?", (told["bet"]["id"],))
    assert (told["bet"]["status"], status in ("confirmed", "won", "lost", "void")) == ("confirmed", True)


def test_what_viem_and_siwe_with_ethers_make_signs_in_as_it_is(system: System, tmp_path: Path) -> None:
    domain, chain = system.audience.domain, str(system.audience.chain_id)
    told = [json.loads(line) for line in Node(tmp_path).script("sign_in.mjs", system.url, domain, chain)]
    signed_in = {"status": 200, "wallet": True}
    assert told == [
        {"library": "viem", "nonce": 96, **signed_in},
        {"library": "siwe and ethers", "nonce": 17, **signed_in},
    ]


def test_what_eth_account_makes_signs_in_as_it_is_without_0x(system: System) -> None:
    account = Account.create()
    message = sign_login(Wallet(account), new_wallet().address, system.audience, CLOCK.now_ms()).message
    signature = account.sign_message(encode_defunct(text=message)).signature.hex()
    assert not signature.startswith("0x")
    body = {"message": message, "signature": signature}
    answer = httpx.post(f"{system.url}/api/auth/login", json=body, trust_env=False)
    assert (answer.status_code, answer.json()["user"]["wallet_address"]) == (200, account.address)


def test_a_client_by_openapi_python_client_places_a_bet(
    system: System, document: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "openapi.json").write_bytes(document)
    (tmp_path / "config.yml").write_text("post_hooks: []\n")
    tool = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--output-path", "made"]
    command = [*tool, "--path", "openapi.json", "--config", "config.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    # It cannot tell the header Last-Event-ID from the parameter, and reads no streams anyway.
    assert [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("WARNING")] == [
        "WARNING parsing GET /api/stream within default. Endpoint will not be generated."
    ]
    monkeypatch.syspath_prepend(tmp_path)
    made = importlib.import_module("made")
    models, place_bet = importlib.import_module("made.models"), importlib.import_module("made.api.default.place_bet")
    player = Player(system)

    def placed(client: Any) -> Any:
        [signed] = player.signed_bets(1)
        answer = place_bet.sync(client=client, body=models.PlaceBetBody.from_dict(msgspec.to_builtins(signed)))
        return None if getattr(answer, "code", None) in NOT_NOW else answer

    with made.AuthenticatedClient(system.url, token=player.token) as client:
        answer = wait_until(lambda: placed(client), 20, what="a bet that is taken")
    assert isinstance(answer, models.PlacedBet), answer
    assert (answer.bet.status, answer.bet.amount, answer.balance) == ("confirmed", 100, player.balance)


def test_every_event_of_the_stream_has_the_fields_of_its_type(system: System) -> None:
    player, parser, seen = Player(system), SseParser(), dict[str, int]()
    url, headers = f"{system.url}/api/stream", {"Authorization": f"Bearer {player.token}"}
    wanted = {"hello", "snapshot", "price", "grid", "touched", "column", "bet", "balance"}
    with httpx.Client(trust_env=False, timeout=20) as client, client.stream("GET", url, headers=headers) as answer:
        for chunk in answer.iter_raw():
            for event in parser.feed(chunk):
                seen[event.type] = seen.get(event.type, 0) + 1
                read = msgspec.json.decode(event.data, type=type(EXAMPLES[event.type]))
                written = msgspec.to_builtins(read)
                assert written.keys() == msgspec.json.decode(event.data).keys(), event
            if seen.keys() >= {"hello", "snapshot"} and "bet" not in seen:
                player.send("POST", "/api/bets", player.signed_bets(1)[0])
            if seen.keys() >= wanted:
                break
    assert seen.keys() >= wanted


def test_what_the_document_allows_is_answered_as_it_says_and_the_rest_is_refused(
    system: System, document: bytes
) -> None:
    questions = Questions(system, json.loads(document), OPERATOR)
    questions.ask_all()
    with system.redis() as client:
        set_override(client, Override.AUTO, "tests", "whatever it was asked to be", CLOCK)
    assert questions.faults == []
    assert questions.met.total() > CASES_MIN, questions.met
    # Sessions count where they are asked for: every such endpoint was refused without one, and answered with one.
    assert questions.refused_alone == questions.with_session
