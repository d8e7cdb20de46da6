"""A guest of the JavaScript client comes back with the key that was kept, from a file or from IndexedDB."""

from __future__ import annotations

import pytest

from tests.clients.javascript import answer

# The house takes whoever signs by the key that the login names, and tells that key as the wallet.
COMES_BACK = """
house = (what, path, body) => {
  if (what !== "POST /api/auth/guest") return ANSWERS[what];
  login = body;
  return { token: "t", user: { id: "u", wallet_address: body.public_key, balance: 0 } };
};
let login;
const first = await client.newKey(%s);
const kept = %s;
const account = await client.Account.open(URL_OF_HOUSE, { key: kept });
const bytes = Uint8Array.from(login.signature.slice(2).match(/../g), (byte) => parseInt(byte, 16));
const text = new TextEncoder().encode(client.guestText(login));
const right = await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, first.pair.publicKey, bytes, text);
say({ same: account.user.wallet_address === first.text && account.key.text === first.text, right });
"""
WAYS = {
    "the key itself": ("{}", "first"),
    "as IndexedDB clones it": ("{}", "structuredClone(first)"),
    "a pair of IndexedDB": ("{}", "{ pair: first.pair, text: first.text }"),
    "as JSON": ("{ extractable: true }", "JSON.parse(JSON.stringify(await first.save()))"),
    "read and saved again": ("{ extractable: true }", "await (await client.keyOf(await first.save())).save()"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_guest_comes_back_with_the_kept_key(way: str) -> None:
    assert answer(COMES_BACK % WAYS[way]) == {"same": True, "right": True}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("(await client.newKey()).save()", "newKey({ extractable: true })"),
        ("JSON.stringify(await client.newKey({ extractable: true }))", "await key.save()"),
        ("client.Account.open(URL_OF_HOUSE, { key: { pair: {}, text: '' } })", "this is no key"),
        ("client.keyOf(null)", "this is no key"),
    ],
)
def test_a_key_that_cannot_be_kept_says_what_to_do(asked: str, told: str) -> None:
    assert told in answer(f"say(await thrown(async () => {asked}));")["message"]


def test_a_place_without_webcrypto_says_which_node_has_it() -> None:
    without = 'Object.defineProperty(globalThis, "crypto", { value: undefined });'
    assert "node 20" in answer(f"{without} say(await thrown(() => client.Account.open(URL_OF_HOUSE)));")["message"]
