"""The examples against a real house, over a line that fails in every way, while its processes are killed."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from taptrade.client import Account
from taptrade.wallet import new_wallet
from tests.acceptance.system import System
from tests.clients.node import Node, is_installed
from tests.docs.shell import FENCE, blocks, run
from tests.examples.bad_line import BUSY, END_SESSION, LIMITED, LOSE_ANSWER, LOSE_REQUEST, BadLine
from tests.sources import ROOT

pytestmark = [pytest.mark.timeout(240), pytest.mark.acceptance]
BETS = 6
AT_ONCE = 2
"""How many bets some of them place under one signature; they place as many times more."""
END_S_MAX = 150
GUIDE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
EXAMPLES = ("bot.py", "async_bot.py", "bot.mjs", "strategy.py", "test_strategy.py", "strategy.mjs", "strategy.test.mjs")
JAVASCRIPT = [name for name in EXAMPLES if name.endswith(".mjs")]
BOTS = {
    "Python": [sys.executable, "examples/bot.py"],
    "Python with asyncio": [sys.executable, "examples/async_bot.py"],
    "JavaScript as a guest": ["node", "examples/bot.mjs"],
    "Python in gestures": [sys.executable, "examples/bot.py", "--at-once", str(AT_ONCE)],
    "JavaScript in gestures": ["node", "examples/bot.mjs", "--at-once", str(AT_ONCE)],
    "JavaScript with viem": ["node", "examples/bot.mjs", "--wallet", "viem"],
    "JavaScript with ethers": ["node", "examples/bot.mjs", "--wallet", "ethers"],
}
# The client's own types are what the house's document says, so far as they go.
FITS = """
import type { components } from "./schema.js";
import type * as own from "./page/client/types.js";
type Theirs = components["schemas"];
type Fits<T extends Own, Own> = T;
export type Checked = [
  Fits<Theirs["ServerTime"], own.TimeView>, Fits<Theirs["Rules"], own.RulesView>, Fits<Theirs["BetView"], own.BetView>,
  Fits<Theirs["User"], own.AccountView>,
  Fits<Theirs["PlacedBet"], own.PlacedView>, Fits<Theirs["EntryView"], own.EntryView>,
  Fits<Theirs["Deposited"], own.DepositedView>, Fits<Theirs["Withdrawn"], own.WithdrawnView>,
  Fits<Theirs["OwnLimits"], own.OwnLimitsView>, Fits<own.LimitsView, Theirs["WantedLimits"]>,
  Fits<own.SignedBet, Theirs["PlaceBetBody"]>, Fits<own.SignedGesture, Theirs["GestureBody"]>,
];
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Run one system; whatever was done to it, it adds up in the end."""
    with System(tmp_path_factory.mktemp("bots") / "data", feed="sim") as system:
        yield system
        report = system.audit()
        assert report.ok, report.faults


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the examples and the JavaScript client, and its packages if they are installed."""
    folder = tmp_path_factory.mktemp("project")
    if is_installed():
        Node(folder)
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "page" / "client", folder / "page" / "client")
    return folder


@dataclass(frozen=True, slots=True)
class Bot:
    """One that plays, and the line that it plays over."""

    process: subprocess.Popen[str]
    line: BadLine

    def told(self) -> list[dict[str, Any]]:
        """Wait for its end and return what it printed."""
        out, errors = self.process.communicate(timeout=END_S_MAX)
        assert self.process.returncode == 0, out + errors[-3000:]
        return [json.loads(line) for line in out.splitlines()]


@pytest.fixture(scope="module")
def bots(house: System, project: Path) -> Iterator[dict[str, Bot]]:
    """Let all of them play at once; while they do, the API and the writer die."""
    with ExitStack() as stack:
        found = {}
        for name, command in BOTS.items():
            if command[0] == "node" and not is_installed():
                continue
            line = stack.enter_context(BadLine(house.settings.port))
            options = ["--bets", str(bets_of(name)), "--domain", house.settings.domain]
            process = subprocess.Popen(
                [*command, line.url, *options], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            found[name] = Bot(process, line)
        for bot in found.values():
            bot.line.wait_for_bets(2)
        for name in ("api", "writer"):
            assert house.kill(name), f"{name} did not run"
        yield found


@pytest.mark.parametrize("name", BOTS)
def test_every_bet_of_a_bot_counts_once(name: str, bots: dict[str, Bot], house: System, tmp_path: Path) -> None:
    if name not in bots:
        Node(tmp_path)  # says why, and leaves the test out
    bot = bots[name]
    first, *told, last = bot.told()
    results = {one["bet"]: one["status"] for one in told if "bet" in one}
    assert (last["adds_up"], len(last["placed"])) == (True, bets_of(name))
    assert {bet_id: results.get(bet_id) for bet_id in last["placed"]} == taken(house, first["wallet"])
    assert stakes(house, first["wallet"]) == dict.fromkeys(last["placed"], 1)
    missing = {LOSE_ANSWER, LOSE_REQUEST, BUSY, LIMITED, END_SESSION} - bot.line.met.keys()
    assert not missing, "the line did not fail in all ways"
    assert max(bot.line.nonces.values()) > 1, "no bet was sent again"


def bets_of(name: str) -> int:
    """Return how many bets a bot places."""
    return BETS * (AT_ONCE if name.endswith("in gestures") else 1)


def taken(house: System, wallet: str) -> dict[str, str]:
    """Return what the house took of a wallet, and what became of it."""
    with house.database() as database:
        rows = database.execute(
            "SELECT bets.id, status FROM bets JOIN users ON users.id = user_id"
            " WHERE lower(wallet_address) = lower(?) AND refusal_code IS NULL",
            (wallet,),
        )
        return {str(bet_id): str(status) for bet_id, status in rows}


def stakes(house: System, wallet: str) -> dict[str, int]:
    """Return how often the ledger took the stake of each bet."""
    with house.database() as database:
        rows = database.execute(
            "SELECT ref_id, count(*) FROM transaction_ledger JOIN users ON users.id = user_id"
            " WHERE lower(wallet_address) = lower(?) AND ref_type = 'BET' GROUP BY ref_id",
            (wallet,),
        )
        return {str(bet_id): int(count) for bet_id, count in rows}


def test_the_guides_commands_play(house: System, project: Path) -> None:
    commands = blocks(GUIDE)
    if shutil.which("node") is None:
        commands = [one for one in commands if "node " not in one]
    told = run(commands, project, house.environment)
    ends = [json.loads(part.splitlines()[-1]) for part in told if part.startswith("{")]
    assert len(ends) == len([one for one in commands if "examples/" in one])
    assert all(end["adds_up"] for end in ends)


def test_what_the_guide_shows_stands_in_the_examples() -> None:
    sources = "".join((ROOT / "examples" / name).read_text(encoding="utf-8") for name in EXAMPLES)
    shown = [one["code"] for one in FENCE.finditer(GUIDE) if one["language"] in ("python", "js")]
    assert len(shown) > len(EXAMPLES)
    assert [code for code in shown if code not in sources] == []


SETS_LIMITS = """
const { Account } = await import(process.argv[1]);
const account = await Account.open(process.argv[2]);
await account.setLimits({ stake_max_cents: 500 });
const { limits, pending } = await account.setLimits({ stake_max_cents: null });
console.log(limits.stake_max_cents, pending.limits.stake_max_cents, (await account.limits()).deposit_day_used_cents);
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_own_limits_are_set_from_javascript_and_python(house: System) -> None:
    module = (ROOT / "page" / "client" / "index.js").as_uri()
    program = ["node", "--input-type=module", "--eval", SETS_LIMITS, module, house.url]
    assert subprocess.run(program, capture_output=True, text=True, check=True).stdout == "500 null 0\n"
    with Account(house.url, new_wallet()) as account:
        assert account.set_limits(stake_max_cents=500, stake_day_max_cents=900).limits.stake_max_cents == 500
        looser = account.set_limits(stake_max_cents=None)
        assert looser.pending is not None
        assert (looser.limits.stake_max_cents, looser.pending.limits.stake_max_cents) == (500, None)
        assert looser == account.limits()


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_javascript_client_says_why_a_line_is_broken() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    asked = f"new Api({{ url: {json.dumps(url)} }}).get('/api/time').catch(({{ message }}) => console.log(message))"
    module = (ROOT / "page" / "client" / "api.js").as_uri()
    program = f"import {{ Api }} from {json.dumps(module)}; await {asked}"
    told = subprocess.run(
        ["node", "--input-type=module", "--eval", program], capture_output=True, text=True, check=True
    ).stdout
    assert told.strip() == f"GET {url}/api/time: fetch failed (ECONNREFUSED)"


def test_the_types_of_the_javascript_client_are_right(house: System, project: Path, tmp_path: Path) -> None:
    node = Node(tmp_path)
    for name in ("examples", "page"):
        shutil.copytree(project / name, tmp_path / name)
    (tmp_path / "openapi.json").write_bytes(httpx.get(f"{house.url}/openapi.json", trust_env=False).content)
    node.tool("openapi-typescript", "openapi.json", "-o", "schema.d.ts")
    (tmp_path / "fits.ts").write_text(FITS)
    options = {"types": ["node"], "typeRoots": ["node_modules/@types"]}
    # Beside index.d.ts the code is read only where it is named.
    code = (f"page/client/{path.name}" for path in (ROOT / "page" / "client").glob("*.js"))
    files = ["fits.ts", *code, *(f"examples/{name}" for name in JAVASCRIPT)]
    project_file = {"extends": "./tsconfig.json", "compilerOptions": options, "files": files}
    (tmp_path / "tsconfig.client.json").write_text(json.dumps(project_file))
    assert node.tool("tsc", "-p", "tsconfig.client.json") == ""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_a_guest_of_javascript_comes_back_with_its_key_file(house: System, project: Path, tmp_path: Path) -> None:
    key = tmp_path / "guest.json"
    command = ["node", "examples/bot.mjs", house.url, "--bets", "1", "--key", str(key)]
    wallets = set()
    for _ in range(2):
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=END_S_MAX, check=True)
        first, *_, last = [json.loads(line) for line in done.stdout.splitlines()]
        wallets.add(first["wallet"])
        assert last["adds_up"]
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(wallets) == 1, "another guest came the second time"
