"""What a program does wrong with the JavaScript client is named at once, in a sentence."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.javascript import answer
from tests.sources import ROOT

ADDRESS = "0x" + "ab" * 20
OPENS = "const open = (url, options) => client.Account.open(url, options);"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ('open("house.test")', '"house.test"'),
        ('open("localhost:8000")', '"localhost:8000"'),
        ("open()", "address of a house"),
        ("open(URL_OF_HOUSE, { onwait: console.log })", '"onwait"; there are: wallet, key, domain, onWait'),
        ("open(URL_OF_HOUSE, { walet: null })", '"walet"'),
        ("(await open(URL_OF_HOUSE)).deposit(100)", "newNonce()"),
        (f'(await open(URL_OF_HOUSE, {{ wallet: {{ address: "{ADDRESS}" }} }})).withdraw(100)', "newNonce()"),
        ('(await open(URL_OF_HOUSE)).events("price").next()', '["price"]'),
        ("client.ofViem({ signMessage() {} })", "given its `account`"),
    ],
)
def test_a_mistake_is_named(asked: str, told: str) -> None:
    house = 'ANSWERS["POST /api/auth/login"] = ANSWERS["POST /api/auth/guest"];'
    sign = asked.replace("wallet: { address", 'wallet: { sign: async () => "0x", address')
    found = answer(f"{OPENS} {house} say(await thrown(async () => {sign}));")
    assert (found["name"], told in found["message"]) == ("TypeError", True), found


def test_a_broken_line_names_what_was_asked() -> None:
    refuses = 'house = () => new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } });'
    asked = "new client.Api({ url: URL_OF_HOUSE }).get('/api/time')"
    found = answer(f"{refuses} say(await thrown(() => {asked}));")
    assert found["message"] == "GET http://house.test:8000/api/time: fetch failed (ECONNREFUSED)"


def test_a_wallet_client_of_viem_signs_as_its_account() -> None:
    wallet = f'{{ account: {{ address: "{ADDRESS}" }}, signMessage: async (of) => JSON.stringify(of) }}'
    signs = f"const {{ address, sign }} = client.ofViem({wallet}); say([address, JSON.parse(await sign('a text'))]);"
    assert answer(signs) == [ADDRESS, {"account": {"address": ADDRESS}, "message": "a text"}]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--wallet", "metamask"], "viem or ethers"),
        (["--wallet", "viem"], "npm install viem"),
        (["--wallet", "ethers"], "npm install ethers"),
        (["--bets", "x"], "--bets"),
        (["--bets", "0"], "--bets"),
        (["--at-once", "-"], "--at-once"),
        (["--wallet", "viem", "--key", "key.json"], "one of them"),
    ],
)
def test_the_example_refuses_what_it_cannot_do(options: list[str], told: str, tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("LEFT OUT: there is no node on this machine, so the example was not run")
    # Out of reach of packages that happen to be installed above the checkout.
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "page" / "client", tmp_path / "page" / "client")
    command = ["node", "examples/bot.mjs", "http://127.0.0.1:9", *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert told in done.stderr
