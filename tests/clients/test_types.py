"""A TypeScript project that installs the JavaScript client has its types, and they are those of the code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.clients.javascript import CLIENT
from tests.clients.node import INSTALLED, Node

PROGRAM = """
import { Account, Api, LineError, keyOf, newKey, ofViem, type BetView, type SavedKey } from "taptrade-client";
import type { AccountView, Fate, GridView, PriceView, RulesView } from "taptrade-client/types.js";

export async function play(url: string, saved: SavedKey): Promise<BetView[]> {
  const key = await keyOf(saved);
  const account: Account = await Account.open(url, { key, onWait: (error: Error) => error.message });
  const rules: RulesView = account.rules;
  const user: AccountView = account.user;
  const kind: "guest" | "wallet" = user.kind;
  const fate: Fate = await account.place({ cellId: "1_2_3", stakeCents: rules.deposit_max_cents, rateBp: 20_000 });
  const why: string | null | undefined = fate.bet?.refusal_detail;
  const start: number = (fate.bet?.column_start_s ?? 0) + rules.horizon_columns;
  for await (const { type, data } of account.events(["grid", "price"])) {
    const cents: number = type === "grid" ? (data as GridView).price.cents : (data as PriceView).close;
    if (cents > start) break;
  }
  // @ts-expect-error a deposit counts once by its key
  await account.deposit(100);
  // @ts-expect-error there is no such option
  await Account.open(url, { onwait: () => {} });
  await new Api({ url }).get(`/api/${kind}${why}${(await newKey({ extractable: true })).text}`);
  if (new LineError("").message) throw new Error();
  return account.allBets();
}
"""
VIEM = """
import { createWalletClient, http } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { ofViem } from "taptrade-client";
const account = privateKeyToAccount(generatePrivateKey());
export const wallets = [ofViem(account), ofViem(createWalletClient({ account, transport: http() }))];
"""
# The declarations beside the code itself: the same names, of the same shapes.
SAME = """
import * as code from "./code/index.js";
import * as told from "./told/index.js";
type Made<T> = T extends abstract new (...given: any) => infer One ? keyof One : "no class";
type Whole = { [K in keyof typeof told]: Same<Made<(typeof told)[K]>, Made<(typeof code)[K]>> };
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
export const fits: typeof told = code;
export const names: Same<keyof typeof told, keyof typeof code> = true;
export const members: Whole extends Record<keyof Whole, true> ? true : Whole = true;
"""
WAYS = {
    "node": {"module": "NodeNext"},
    "a bundler": {"module": "ESNext", "moduleResolution": "Bundler"},
    "without exports": {"module": "ESNext", "moduleResolution": "Node10"},
}


def project(folder: Path, options: dict[str, object], **files: str) -> Node:
    """Lay out a plain TypeScript project, with the client installed as a copy."""
    node = Node(folder)
    (folder / "node_modules").unlink()
    (folder / "node_modules").mkdir()
    for installed in (INSTALLED / "node_modules").iterdir():
        (folder / "node_modules" / installed.name).symlink_to(installed)
    shutil.copytree(CLIENT, folder / "node_modules" / "taptrade-client")
    for name, text in files.items():
        (folder / f"{name}.ts").write_text(text)
    told = {"strict": True, "noEmit": True, "target": "ES2022", "types": [], **options}
    settings = {"compilerOptions": told, "files": [f"{name}.ts" for name in files]}
    (folder / "tsconfig.json").write_text(json.dumps(settings))
    return node


@pytest.mark.parametrize("way", WAYS)
def test_a_plain_project_has_the_types(way: str, tmp_path: Path) -> None:
    # Without the types of a browser, and with declarations checked: nothing else need be there.
    program = PROGRAM.replace("/types.js", "/types") if way == "without exports" else PROGRAM
    node = project(tmp_path, {"lib": ["ES2022"], **WAYS[way]}, program=program)
    assert node.tool("tsc", "-p", ".") == ""


def test_accounts_and_clients_of_viem_are_taken(tmp_path: Path) -> None:
    node = project(tmp_path, {"module": "NodeNext", "skipLibCheck": True}, wallets=VIEM)
    assert node.tool("tsc", "-p", ".") == ""


def test_the_declarations_are_those_of_the_code(tmp_path: Path) -> None:
    node = project(tmp_path, {"module": "NodeNext", "allowJs": True, "skipLibCheck": True}, same=SAME)
    for name, left_out in (("code", "index.d.ts"), ("told", "*.js")):
        shutil.copytree(CLIENT, tmp_path / name, ignore=shutil.ignore_patterns(left_out))
    assert node.tool("tsc", "-p", ".") == ""
