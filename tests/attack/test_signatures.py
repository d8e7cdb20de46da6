"""Signatures of bets and withdrawals: of the right key, over exactly what is asked for, in one accepted form each."""

from __future__ import annotations

from typing import Any

import pytest
from coincurve import PrivateKey

from runtime.audit import audit
from runtime.auth.bet_text import bet_text, withdraw_text
from runtime.auth.signatures import personal_hash, sign
from tests.attack.arena import Arena
from tests.attack.attacker import Player, bet_text_of, cell_id, code_of
from tests.attack.conftest import KEYS, OTHER_SESSION_KEY, OTHER_WALLET, SESSION_KEY, WALLET
from tests.attack.test_guests import adopting
from tests.runtime.auth.browser import BrowserKey, Key
from tests.runtime.auth.logins import message

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
INVALID = (401, "INVALID_SIGNATURE")
REFUSED = (INVALID, (400, "INVALID_REQUEST"), (401, "CONTRACT_WALLET"))


@pytest.fixture
def keys() -> tuple[Key, Key]:
    """Return keys of the kind that is attacked here; the other has its own forms (test_browser_keys.py)."""
    return KEYS["secp256k1"]


def parts(signature: str) -> tuple[str, int, int]:
    """Split a signature into r (hex), s and v."""
    return signature[2:66], int(signature[66:130], 16), int(signature[130:], 16)


def joined(r: str, s: int, v: int) -> str:
    """Put a signature together."""
    return f"0x{r}{s:064x}{v:02x}"


@pytest.mark.parametrize("offset", [0, 27], ids=["v of 0 or 1", "v of 27 or 28"])
def test_both_counts_of_v_are_taken(victim: Player, offset: int) -> None:
    seen = set()
    for row in range(12):
        bet = victim.bet(rows=row - 6)
        r, s, v = parts(bet["signature"])
        answer = victim.place(bet | {"signature": joined(r, s, v - 27 + offset)})
        assert answer.status_code == 201, answer.text
        seen.add(v)
    assert seen == {27, 28}  # of twelve signatures made from fixed keys and texts, both kinds


@pytest.mark.parametrize("v", [2, 3, 26, 29, 30, 35, 36, 37, 38, 55, 128, 254, 255])
def test_no_other_v_is_taken(victim: Player, v: int) -> None:
    bet = victim.bet()
    r, s, _ = parts(bet["signature"])
    assert code_of(victim.place(bet | {"signature": joined(r, s, v)})) == INVALID


def test_the_other_parity_is_somebody_else(victim: Player) -> None:
    bet = victim.bet()
    r, s, v = parts(bet["signature"])
    assert code_of(victim.place(bet | {"signature": joined(r, s, 55 - v)})) == INVALID


def forms(signature: str) -> dict[str, Any]:
    """Return what is no acceptable form of a good signature."""
    r, s, v = parts(signature)
    body = signature[2:]
    return {
        "high s": joined(r, ORDER - s, 55 - v),
        "high s, v not turned": joined(r, ORDER - s, v),
        "64 bytes": "0x" + body[:128],
        "64 bytes with the parity in s (EIP-2098)": f"0x{r}{s | (v - 27) << 255:064x}",
        "66 bytes": signature + "00",
        "s beyond the order": joined(r, s + ORDER if s + ORDER < 1 << 256 else (1 << 256) - 1, v),
        "s of zero": joined(r, 0, v),
        "r of zero": joined("00" * 32, s, v),
        "r of the order": joined(f"{ORDER:064x}", s, v),
        "all zero": "0x" + "00" * 65,
        "nothing": "",
        "0x": "0x",
        "0x twice": "0x" + signature,
        "0x within": body[:2] + "0x" + body[2:],
        "space before": " " + signature,
        "newline behind": signature + "\n",
        "newline within": signature[:-1] + "\n",
        "full-width digits": "0x" + body.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"}),
        "a lone surrogate": signature[:-1] + "\ud800",
        "too long": "0x" + "ab" * 600,
    }


@pytest.mark.parametrize("form", list(forms("0x" + "1" * 130)))
def test_no_other_form_of_a_good_signature_is_taken(arena: Arena, victim: Player, form: str) -> None:
    bet = victim.bet()
    status, code = code_of(victim.place(bet | {"signature": forms(bet["signature"])[form]}))
    assert (status, code) in REFUSED
    withdrawal = victim.withdrawal()
    status, code = code_of(victim.withdraw(withdrawal | {"signature": forms(withdrawal["signature"])[form]}))
    assert (status, code) in REFUSED
    assert (arena.count("bets"), arena.count("withdrawals")) == (0, 0)
    assert victim.place(bet).status_code == 201  # nothing of it used the nonce up
    assert victim.withdraw(withdrawal).status_code == 201


def test_every_spelling_of_a_signature_is_the_same_bet(arena: Arena, victim: Player) -> None:
    bet = victim.bet()
    placed = victim.place(bet)
    r, s, v = parts(bet["signature"])
    digits = bet["signature"][2:]
    for spelling in (joined(r, s, v - 27), "0x" + digits.upper(), digits, "0X" + digits, bet["signature"]):
        again = victim.place(bet | {"signature": spelling})
        assert code_of(again) == (409, "REPLAYED_NONCE")
        assert again.json["bet"] == placed.json["bet"]
    assert arena.count("bets") == 1


# As Safe and Coinbase's wallet make them: two owners' signatures, and EIP-6492's envelope.
CONTRACTS = ["0x" + "ab" * 130, "0x" + "00" * 352 + "6492" * 16, "cd" * 700]


@pytest.mark.parametrize("signature", CONTRACTS)
def test_a_contract_wallet_is_told_so_at_every_door(arena: Arena, victim: Player, signature: str) -> None:
    login = {"message": message(arena.now_ms, nonce=arena.nonce()).to_text(), "signature": signature}
    answers = [
        victim.place(victim.bet() | {"signature": signature}),
        victim.withdraw(victim.withdrawal() | {"signature": signature}),
        victim.send("/api/auth/login", login),
    ]
    assert list(map(code_of, answers)) == [(401, "CONTRACT_WALLET")] * 3
    assert all("EIP-1271, EIP-6492" in one.json["detail"] for one in answers)
    guest = Player(arena, b"").enter(BrowserKey(0x77))
    taken = adopting(guest) | {"signature": signature}
    assert code_of(guest.send("/api/me/wallet", taken)) == (401, "CONTRACT_WALLET")


@pytest.mark.parametrize("prefix", ["0x", "0X", ""])
def test_a_signature_is_taken_with_or_without_its_prefix_and_kept_in_one_form(
    arena: Arena, victim: Player, prefix: str
) -> None:
    bet, withdrawal = victim.bet(), victim.withdrawal()
    spelled = [body | {"signature": prefix + body["signature"][2:].upper()} for body in (bet, withdrawal)]
    placed, taken = victim.place(spelled[0]), victim.withdraw(spelled[1])
    assert (placed.status_code, taken.status_code) == (201, 201)
    for table, body in (("bets", bet), ("withdrawals", withdrawal)):
        assert arena.desk.database.execute(f"SELECT signature FROM {table}") == [(body["signature"],)]
    proof = victim.get(f"/api/bets/{placed.json['bet']['id']}?verify=true").json["proof"]
    assert (proof["signed"]["ok"], proof["signed"]["signature"]) == (True, bet["signature"])
    assert audit(arena.desk.database).faults == []


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"cell_id": 1}, id="another row"),
        pytest.param({"cell_id": 2}, id="another column"),
        pytest.param({"amount": 10_000}, id="more money"),
        pytest.param({"amount": 500}, id="another preset"),
        pytest.param({"min_rate_bp": 0}, id="no floor"),
        pytest.param({"min_rate_bp": 10_001}, id="a higher floor"),
        pytest.param({"nonce": "another12345"}, id="another nonce"),
        pytest.param({"nonce": "NONCE00000003"}, id="the nonce in capitals"),
        pytest.param({"timestamp": 1_789_999_999}, id="a second before"),
        pytest.param({"timestamp": 1_790_000_001}, id="a second later"),
    ],
)
def test_a_signature_is_for_one_bet_only(arena: Arena, victim: Player, changed: dict[str, Any]) -> None:
    bet = victim.bet()
    if "cell_id" in changed:
        where = {"rows": 1} if changed["cell_id"] == 1 else {"columns": 4}
        changed = {"cell_id": cell_id(arena.now_ms, **where)}
    assert code_of(victim.place(bet | changed)) == INVALID
    assert arena.count("bets") == 0
    assert victim.place(bet).status_code == 201


def test_what_is_for_another_chain_is_refused(victim: Player) -> None:
    assert code_of(victim.place(victim.bet(chain_id=137))) == INVALID
    assert code_of(victim.withdraw(victim.withdrawal(chain_id=137))) == INVALID


def test_a_withdrawals_signature_places_no_bet_and_the_other_way_round(arena: Arena, victim: Player) -> None:
    bet, withdrawal = victim.bet(key=WALLET), victim.withdrawal()
    shared = {name: withdrawal[name] for name in ("amount", "nonce", "timestamp", "signature")}
    assert code_of(victim.place(bet | shared)) == INVALID
    shared = {name: bet[name] for name in ("amount", "nonce", "timestamp", "signature")}
    assert code_of(victim.withdraw(shared)) == INVALID
    assert (arena.count("bets"), arena.count("withdrawals")) == (0, 0)


def test_a_withdrawal_for_less_takes_no_more(victim: Player) -> None:
    assert code_of(victim.withdraw(victim.withdrawal() | {"amount": 200})) == INVALID


def test_a_session_key_cannot_withdraw(arena: Arena, victim: Player) -> None:
    assert code_of(victim.withdraw(victim.withdrawal(key=SESSION_KEY))) == INVALID
    assert arena.count("withdrawals") == 0
    assert victim.withdraw(victim.withdrawal(key=WALLET)).status_code == 201


@pytest.mark.parametrize("key", [WALLET, SESSION_KEY], ids=["wallet", "session key"])
def test_a_bet_of_one_players_key_under_anothers_session_is_refused(
    arena: Arena, victim: Player, attacker: Player, key: bytes
) -> None:
    bet = victim.bet(key=key)
    assert code_of(victim.place(bet, token=attacker.token)) == INVALID
    assert arena.count("bets") == 0
    assert victim.place(bet).status_code == 201  # nor did it use up the victim's nonce


def test_an_attackers_key_does_not_sign_for_the_victim(victim: Player) -> None:
    for key in (OTHER_WALLET, OTHER_SESSION_KEY, b"\x55" * 32):
        assert code_of(victim.place(victim.bet(key=key))) == INVALID
        assert code_of(victim.withdraw(victim.withdrawal(key=key))) == INVALID


def test_a_session_key_counts_only_in_the_session_that_named_it(arena: Arena, victim: Player) -> None:
    bare = Player(arena, WALLET).log_in()
    assert bare.user_id == victim.user_id
    assert code_of(bare.place(bare.bet(key=SESSION_KEY))) == INVALID
    assert bare.place(bare.bet(key=WALLET)).status_code == 201


def test_who_signed_is_kept_with_the_bet(arena: Arena, victim: Player) -> None:
    by_key, by_wallet = victim.bet(), victim.bet(key=WALLET, rows=1)
    assert [victim.place(bet).status_code for bet in (by_key, by_wallet)] == [201, 201]
    rows = arena.desk.database.dicts("SELECT signature, signer, delegation_id FROM bets ORDER BY seq")
    [delegation] = arena.desk.database.execute("SELECT id, user_id FROM delegations")
    assert [row["signature"] for row in rows] == [by_key["signature"], by_wallet["signature"]]
    assert [row["delegation_id"] for row in rows] == [delegation[0], None]
    assert (delegation[1], rows[1]["signer"]) == (victim.user_id, victim.wallet)


def test_other_ways_of_signing_are_refused(victim: Player) -> None:
    bet = victim.bet()
    text = bet_text_of(bet).encode()
    bare = PrivateKey(SESSION_KEY).sign_recoverable(text)  # over SHA-256, without the prefix
    prefixed_twice = sign(personal_hash(text), SESSION_KEY)
    crlf = sign(text.replace(b"\n", b"\r\n"), SESSION_KEY)
    with_end = sign(text + b"\n", SESSION_KEY)
    for signature in (f"0x{bare[:64].hex()}{27 + bare[64]:02x}", prefixed_twice, crlf, with_end):
        assert code_of(victim.place(bet | {"signature": signature})) == INVALID


def test_the_two_texts_have_no_text_in_common() -> None:
    """A bet's third line names a cell, a withdrawal's an amount: no fields make one text out of both."""
    bet = bet_text("c", 1, 2, "n", 3, 1).splitlines()
    withdrawal = withdraw_text(1, "n", 3, 1).splitlines()
    assert bet[1] != withdrawal[1]
    assert (bet[0], bet[-1]) == (withdrawal[0], withdrawal[-1])
