"""Keys of browsers: one form of a signature, one curve, the session's own key, and exactly what was signed."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from runtime.audit import audit
from runtime.auth.p256 import ORDER, PREFIX
from runtime.auth.siwe import SESSION_KEY_URN
from tests.attack.arena import Arena
from tests.attack.attacker import Player, bet_text_of, cell_id, code_of
from tests.attack.conftest import BROWSER_KEY, KEYS, OTHER_BROWSER_KEY, SESSION_KEY, WALLET
from tests.opening import opened_bets
from tests.runtime.auth.browser import BrowserKey, Key, joined
from tests.runtime.auth.logins import message, signed
from tests.runtime.auth.test_p256 import BAD_KEYS

INVALID = (401, "INVALID_SIGNATURE")
MALFORMED = (400, "INVALID_REQUEST")


@pytest.fixture
def keys() -> tuple[Key, Key]:
    """Return keys of the kind that is attacked here."""
    return KEYS["P-256"]


def parts(signature: str) -> tuple[int, int]:
    """Split a signature into r and s."""
    return int(signature[2:66], 16), int(signature[66:], 16)


def padded(number: int) -> str:
    """Write a number that may be too long for its place."""
    return f"{number:064x}"[-64:] if number < 1 << 256 else "ff" * 32


def forms(r: int, s: int) -> dict[str, tuple[str, str]]:
    """Return what is no acceptable form of a good signature, and words of its refusal."""
    good, data = joined(r, s), bytes.fromhex(joined(r, s)[2:])
    out_of_range, unread, too_long = "between 0 and the order", "cannot be read", "a P-256 key, which signs 64 bytes"
    return {
        "high s": (joined(r, ORDER - s), "replace s by n - s; WebCrypto does not do that by itself"),
        "s of zero": (joined(r, 0), out_of_range),
        "r of zero": (joined(0, s), out_of_range),
        "r of the order": (joined(ORDER, s), out_of_range),
        "s of the order": (joined(r, ORDER), out_of_range),
        "s beyond the order": (f"0x{r:064x}{padded(s + ORDER)}", ""),
        "all zero": ("0x" + "00" * 64, out_of_range),
        "all ones": ("0x" + "ff" * 64, out_of_range),
        "r and s changed round": (joined(s, min(r, ORDER - r)), ""),
        "negative r": (joined(ORDER - r, s), ""),
        "DER": ("0x" + encode_dss_signature(r, s).hex(), "it seems to be DER"),
        "base64": (base64.b64encode(data).decode(), "it seems to be base64"),
        "base64url": (base64.urlsafe_b64encode(data).decode(), "it seems to be base64"),
        "65 bytes, v of 27": (good + "1b", too_long),
        "65 bytes, v of 0": (good + "00", too_long),
        "63 bytes": (good[:-2], unread),
        "an odd digit": (good + "0", unread),
        "0x twice": ("0x" + good, unread),
        "0x within": (good[2:66] + "0x" + good[66:], unread),
        "space before": (" " + good, unread),
        "newline behind": (good[2:] + "\n", unread),
        "full-width digits": ("\uff11" * 128, unread),
        "nothing": ("", unread),
    }


@pytest.mark.parametrize("form", forms(1, 2))
def test_no_other_form_of_a_good_signature_is_taken(arena: Arena, victim: Player, form: str) -> None:
    bet = victim.bet()
    changed, words = forms(*parts(bet["signature"]))[form]
    answer = victim.place(bet | {"signature": changed})
    assert code_of(answer) == INVALID
    assert words in answer.json["detail"]
    assert arena.count("bets") == 0
    assert victim.place(bet).status_code == 201  # nothing of it used the nonce up


def test_every_spelling_of_a_signature_is_the_same_bet_and_kept_in_one_form(arena: Arena, victim: Player) -> None:
    bet = victim.bet()
    digits = bet["signature"][2:]
    placed = victim.place(bet | {"signature": digits.upper()})
    assert placed.status_code == 201
    for spelling in (digits, "0x" + digits, "0X" + digits.upper()):
        again = victim.place(bet | {"signature": spelling})
        assert code_of(again) == (409, "REPLAYED_NONCE")
        assert again.json["bet"] == placed.json["bet"]
    [kept] = opened_bets(arena.desk.database)
    assert (kept.signature, kept.signer) == (bet["signature"], BROWSER_KEY.text)
    proof = victim.get(f"/api/bets/{placed.json['bet']['id']}?verify=true").json["proof"]["signed"]
    assert (proof["ok"], proof["by"], proof["signer"]) == (True, "session_key", BROWSER_KEY.text)
    assert audit(arena.desk.database).faults == []


def by_curve(curve: ec.EllipticCurve, hash_kind: Any, secret: int = 0x22) -> Any:
    """Sign with the victim's secret number on another curve or with another hash."""

    def sign(text: bytes) -> str:
        key = ec.derive_private_key(secret, curve)
        r, s = decode_dss_signature(key.sign(text, ec.ECDSA(hash_kind)))
        return f"0x{padded(r)}{padded(min(s, ORDER - s) if s < ORDER else s)}"

    return sign


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param(by_curve(ec.SECP256K1(), SHA256()), id="secp256k1"),
        pytest.param(by_curve(ec.SECP384R1(), SHA384()), id="P-384"),
        pytest.param(by_curve(ec.SECP256R1(), SHA384()), id="P-256 over SHA-384"),
        pytest.param(lambda text: BROWSER_KEY.sign(b"\x19Ethereum Signed Message:\n" + text), id="prefixed"),
        pytest.param(lambda text: BROWSER_KEY.sign(text + b"\n"), id="with an end of line"),
        pytest.param(lambda text: BROWSER_KEY.sign(text.replace(b"\n", b"\r\n")), id="CRLF"),
        pytest.param(OTHER_BROWSER_KEY.sign, id="another's key"),
        pytest.param(BrowserKey(0x55).sign, id="an unknown key"),
    ],
)
def test_other_ways_of_signing_are_refused(arena: Arena, victim: Player, attacker: Player, sign: Any) -> None:
    bet = victim.bet()
    assert code_of(victim.place(bet | {"signature": sign(bet_text_of(bet).encode())})) == INVALID
    assert arena.count("bets") == 0


@pytest.mark.parametrize("form", BAD_KEYS)
def test_no_wrong_key_can_be_delegated(arena: Arena, form: str) -> None:
    key = BAD_KEYS[form]
    text = message(arena.now_ms, resources=(SESSION_KEY_URN + key,)).to_text()
    body = dict(zip(("message", "signature"), signed(text), strict=True))
    answer = arena.one.client.simulate_post("/api/auth/login", json=body)
    assert code_of(answer) == MALFORMED
    assert arena.count("users") == 0


def test_a_secp256k1_key_is_no_key_of_a_browser_and_the_other_way_round(arena: Arena) -> None:
    """A session names its key by kind, so a signature of the other kind finds nothing to fit."""
    wallet_key = Player(arena, WALLET, SESSION_KEY).log_in()
    answer = wallet_key.place(wallet_key.bet(key=BROWSER_KEY))
    assert code_of(answer) == INVALID
    assert "this session has no such key" in answer.json["detail"]
    browser_key = Player(arena, WALLET, BROWSER_KEY).log_in()
    answer = browser_key.place(browser_key.bet(key=SESSION_KEY))
    assert code_of(answer) == INVALID
    assert "the session's own key is a P-256 key" in answer.json["detail"]
    assert browser_key.place(browser_key.bet(key=WALLET)).status_code == 201


@pytest.mark.parametrize(
    "changed",
    [
        {"cell_id": "row"},
        {"cell_id": "column"},
        {"amount": 500},
        {"min_rate_bp": 0},
        {"min_rate_bp": 10_001},
        {"nonce": "another12345"},
        {"timestamp": 1_789_999_999},
        {"timestamp": 1_790_000_001},
    ],
    ids=str,
)
def test_a_signature_is_for_one_bet_only(arena: Arena, victim: Player, changed: dict[str, Any]) -> None:
    bet = victim.bet()
    if "cell_id" in changed:
        where = {"rows": 1} if changed["cell_id"] == "row" else {"columns": 4}
        changed = {"cell_id": cell_id(arena.now_ms, **where)}
    assert code_of(victim.place(bet | changed)) == INVALID
    assert arena.count("bets") == 0
    assert victim.place(bet).status_code == 201


def test_what_is_for_another_chain_is_refused(victim: Player) -> None:
    assert code_of(victim.place(victim.bet(chain_id=137))) == INVALID


def test_a_browsers_key_cannot_withdraw(arena: Arena, victim: Player) -> None:
    assert code_of(victim.withdraw(victim.withdrawal(key=BROWSER_KEY))) == INVALID
    assert arena.count("withdrawals") == 0


def test_a_browsers_key_cannot_log_a_wallet_in(arena: Arena) -> None:
    text = message(arena.now_ms).to_text()
    for signature in (BROWSER_KEY.sign(text.encode()), BROWSER_KEY.sign(text.encode()) + "1b"):
        body = {"message": text, "signature": signature}
        assert code_of(arena.one.client.simulate_post("/api/auth/login", json=body)) == INVALID
    assert arena.count("users") == 0


def test_a_bet_under_anothers_session_is_refused(arena: Arena, victim: Player, attacker: Player) -> None:
    bet = victim.bet()
    assert code_of(victim.place(bet, token=attacker.token)) == INVALID
    assert arena.count("bets") == 0
    assert victim.place(bet).status_code == 201  # nor did it use up the victim's nonce


def test_a_key_counts_only_in_the_session_that_named_it_and_for_one_account(arena: Arena, victim: Player) -> None:
    bare = Player(arena, WALLET).log_in()
    assert (bare.user_id, code_of(bare.place(bare.bet(key=BROWSER_KEY)))) == (victim.user_id, INVALID)
    text = message(arena.now_ms, address=Player(arena, b"\x77" * 32).wallet, nonce="taken0001").to_text()
    taking = text + f"\nResources:\n- {SESSION_KEY_URN}{BROWSER_KEY.text}"
    body = dict(zip(("message", "signature"), signed(taking, b"\x77" * 32), strict=True))
    assert code_of(arena.one.client.simulate_post("/api/auth/login", json=body)) == (409, "SESSION_KEY_TAKEN")
    assert BROWSER_KEY.text.startswith(PREFIX)
