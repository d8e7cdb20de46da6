"""What is sealed opens by its player's key at its own row only, and nothing opens it once the key is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.game.rows import SEALED
from runtime.personal.erased import Erased, ErasedFile
from runtime.personal.seal import FORGOTTEN, KEY_BYTES, Seal, about, opened

KEY, OTHER, GONE = b"\x11" * KEY_BYTES, b"\x12" * KEY_BYTES, bytes(KEY_BYTES)
TEXTS = {
    "an address": "0x" + "ab" * 20,
    "a signature": "0x" + "0f" * 65,
    "capitals": "0x" + "AB" * 20,
    "a P-256 key": "p256:02" + "ab" * 32,
    "a message": "example.com wants you to sign in\nwith your Ethereum account: \u00e9",
    "no digits": "0x",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_sealed_text_opens_by_its_key_and_row(text: str) -> None:
    sealed = Seal(KEY).close(text, about("address", "A"))
    assert sealed.startswith(SEALED)
    assert sealed == Seal(KEY).close(text, about("address", "A"))
    assert text not in sealed
    assert opened(sealed, KEY, about("address", "A")) == text
    assert opened(sealed, GONE, about("address", "A")) == FORGOTTEN
    for key, whereof in ((OTHER, about("address", "A")), (KEY, about("address", "B")), (KEY, about("signer", "A"))):
        assert opened(sealed, key, whereof) == sealed


def test_a_sealed_signature_takes_sixteen_bytes_more() -> None:
    text = TEXTS["a signature"]
    sealed = Seal(KEY).close(text, about("bet", "A"))
    assert len(bytes.fromhex(sealed.removeprefix(SEALED))) == len(bytes.fromhex(text[2:])) + 16


@pytest.mark.parametrize("text", [None, "", "0x1234", "never sealed"])
def test_what_was_never_sealed_stays_as_it_is(text: str | None) -> None:
    assert [opened(text, key, about("address", "A")) for key in (None, KEY, GONE)] == [text] * 3
    assert Seal(KEY).close("", about("bet", "A")) == ""


@pytest.mark.parametrize("change", [lambda text: text[:-1], lambda text: text + " ", lambda text: text[:-2] + "00"])
def test_a_changed_text_does_not_open(change: object) -> None:
    sealed = Seal(KEY).close("a text", about("login", "A"))
    changed = change(sealed) if callable(change) else ""
    assert opened(changed, KEY, about("login", "A")) == changed


def test_a_signer_is_sealed_as_the_login_or_the_account_that_names_it() -> None:
    seal = Seal(KEY)
    for _ in range(2):
        assert seal.close_signer("0xab", "LOGIN", "USER") == seal.close("0xab", about("session_key", "LOGIN"))
        assert seal.close_signer("0xab", None, "USER") == seal.close("0xab", about("address", "USER"))


def test_an_erasure_is_listed_once_and_a_torn_line_is_written_again(tmp_path: Path) -> None:
    file = ErasedFile(tmp_path / "new" / "erasures.jsonl")
    one, two = (Erased(name, 1_000, "ann", "asked for") for name in ("A", "B"))
    assert file.read() == []
    file.add([one])
    with file.path.open("ab") as torn:
        torn.write(b'{"user_id":"B","era')
    assert file.read() == [one]
    file.add([one, two])
    file.add([two])
    assert file.read() == [one, two]
    assert file.path.read_bytes().count(b"\n") == 2
