"""The JavaScript client in node, with a house of a few lines in the place of the network."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from tests.sources import ROOT

CLIENT = ROOT / "page" / "client"
# Waits pass at once, and the clock moves on by what was waited for.
STAND_IN = """
const client = await import(process.argv[1]);
let nowMs = 0;
performance.now = () => nowMs;
globalThis.setTimeout = (then, ms = 0) => { nowMs += ms; setImmediate(then); return {}; };
const RULES = { mode: "dev", guests: true, chain_ids: [8453], presets_cents: [100], column_seconds: 5 };
const ANSWERS = {
  "GET /api/rules": RULES, "GET /api/time": { server_time_ms: 1_700_000_000_000 },
  "POST /api/auth/guest": { token: "t", user: { id: "u", wallet_address: "p256:02", balance: 0 } },
};
/** What the house answers to a request: a body, an Error for a line that breaks, or [status, body]. */
let house = (what, path) => ANSWERS[what];
globalThis.fetch = async (url, { method = "GET", body } = {}) => {
  const { pathname, search } = new URL(url);
  const answer = house(`${method} ${pathname}`, pathname + search, body && JSON.parse(body));
  if (answer instanceof Error) throw answer;
  const [status, data] = Array.isArray(answer) ? answer : [200, answer];
  return new Response(JSON.stringify(data), { status });
};
const URL_OF_HOUSE = "http://house.test:8000";
const told = ({ constructor, message, code, status }) => ({ name: constructor.name, message, code, status });
const thrown = async (ask) => { try { return { answered: await ask() }; } catch (error) { return told(error); } };
"""


def answer(program: str, timeout_s: float = 30) -> Any:
    """Run a program after the stand-in; return what it gives to `say`."""
    if shutil.which("node") is None:
        pytest.skip("LEFT OUT: there is no node on this machine, so the JavaScript client was not run")
    say = "const say = (found) => { console.log(JSON.stringify(found ?? null)); process.exit(0); };\n"
    command = ["node", "--input-type=module", "--eval", STAND_IN + say + program, (CLIENT / "index.js").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)
