"""Guests under attack: whose key is whose, what a guest may not, and the account that a wallet takes over."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.addresses import to_checksum_address
from runtime.audit import audit
from runtime.audit.records import walk
from runtime.auth import p256
from runtime.auth.signatures import address_of
from runtime.auth.siwe import GUEST_URN, SESSION_KEY_URN
from runtime.game import chain
from runtime.personal.seal import Seal, about, key_of
from tests.attack.arena import Arena
from tests.attack.attacker import Player, code_of
from tests.attack.conftest import BROWSER_KEY, OTHER_BROWSER_KEY, OTHER_WALLET, SESSION_KEY, WALLET
from tests.runtime.auth.browser import guest_body
from tests.runtime.auth.logins import DOMAIN, message, signed

INVALID = (401, "INVALID_SIGNATURE")
UNAUTHENTICATED = (401, "UNAUTHENTICATED")
REPLAYED = (409, "REPLAYED_NONCE")


@pytest.fixture
def guest(arena: Arena) -> Player:
    """Return a guest who has signed in."""
    return Player(arena, WALLET).enter(BROWSER_KEY)


@pytest.fixture
def other(arena: Arena) -> Player:
    """Return another guest."""
    return Player(arena, OTHER_WALLET).enter(OTHER_BROWSER_KEY)


def adopting(guest: Player, key: bytes = WALLET, **changed: Any) -> dict[str, str]:
    """Return a wallet's message that takes the guest's account over."""
    fields = {
        "address": to_checksum_address(address_of(key)),
        "nonce": guest.arena.nonce(),
        "resources": (GUEST_URN + guest.user_id,),
    } | changed
    text, signature = signed(message(guest.arena.now_ms, **fields).to_text(), key)
    return {"message": text, "signature": signature}


def adopt(guest: Player, body: Any = None) -> Any:
    """Give the guest's account to the wallet; the new session is the player's."""
    answer = guest.send("/api/me/wallet", adopting(guest) if body is None else body)
    if answer.status_code == 200:
        guest.token = answer.json["token"]
    return answer


def test_a_guests_bets_are_placed_and_proved(arena: Arena, guest: Player) -> None:
    placed = guest.place(guest.bet())
    assert placed.status_code == 201, placed.text
    proof = guest.get(f"/api/bets/{placed.json['bet']['id']}?verify=true").json["proof"]["signed"]
    assert (proof["ok"], proof["by"], proof["signer"]) == (True, "guest", BROWSER_KEY.text)
    assert proof["delegation"]["message"].startswith("Tap Trading Guest\n")
    assert audit(arena.desk.database).faults == []


def test_a_guest_cannot_withdraw_whatever_it_sends(arena: Arena, guest: Player) -> None:
    for body in (guest.withdrawal(), guest.withdrawal(key=BROWSER_KEY), guest.withdrawal(timestamp=1)):
        answer = guest.withdraw(body)
        assert code_of(answer) == (403, "FORBIDDEN")
        assert "A guest cannot withdraw" in answer.json["detail"]
    assert arena.count("withdrawals") == 0


def test_a_guests_key_signs_for_no_other_account(arena: Arena, guest: Player, other: Player) -> None:
    bet = guest.bet()
    assert code_of(guest.place(bet, token=other.token)) == INVALID
    player = Player(arena, OTHER_WALLET, SESSION_KEY).log_in()
    assert code_of(guest.place(bet, token=player.token)) == INVALID
    assert guest.place(bet).status_code == 201
    text = message(arena.now_ms, nonce=arena.nonce(), resources=(SESSION_KEY_URN + BROWSER_KEY.text,)).to_text()
    body = dict(zip(("message", "signature"), signed(text), strict=True))
    assert code_of(arena.one.client.simulate_post("/api/auth/login", json=body)) == (409, "SESSION_KEY_TAKEN")


def test_a_bets_signature_signs_nobody_in_and_a_sign_ins_places_no_bet(arena: Arena, guest: Player) -> None:
    bet = guest.bet()
    body = guest_body(BROWSER_KEY, DOMAIN, arena.now_ms, "freshNonce1")
    again = arena.one.client.simulate_post("/api/auth/guest", json=body | {"signature": bet["signature"]})
    assert code_of(again) == INVALID
    assert code_of(guest.place(bet | {"signature": body["signature"]})) == INVALID
    assert arena.count("bets") == 0


def test_nonces_of_sign_in_and_bets_are_one(arena: Arena, guest: Player) -> None:
    bet = guest.bet()
    assert guest.place(bet).status_code == 201
    body = guest_body(BROWSER_KEY, DOMAIN, arena.now_ms, bet["nonce"])
    assert code_of(arena.one.client.simulate_post("/api/auth/guest", json=body)) == REPLAYED


def test_a_revoked_guest_session_bets_no_more(arena: Arena, guest: Player) -> None:
    bet = guest.bet()
    assert code_of(guest.send("/api/auth/logout", b""))[0] == 204
    assert code_of(guest.place(bet)) == UNAUTHENTICATED
    guest.enter(BROWSER_KEY)
    assert guest.place(bet).status_code == 201


def test_a_wallet_takes_a_guests_account_over_with_all_that_is_in_it(arena: Arena, guest: Player) -> None:
    first = guest.place(guest.bet()).json
    before = guest.token
    answer = adopt(guest)
    assert answer.status_code == 200, answer.text
    user = answer.json["user"]
    assert (user["id"], user["kind"], user["balance"]) == (guest.user_id, "wallet", first["balance"])
    assert user["wallet_address"] == to_checksum_address(guest.wallet)
    assert guest.get("/api/me").json["user"] == user
    assert code_of(guest.place(guest.bet(), token=before)) == UNAUTHENTICATED
    second = guest.place(guest.bet(rows=1))  # by the guest's key, which stays the session's
    assert second.status_code == 201
    by_wallet = guest.place(guest.bet(rows=2, key=WALLET))
    assert by_wallet.status_code == 201
    assert guest.withdraw(guest.withdrawal()).status_code == 201
    signers = []
    for placed in (first, second.json, by_wallet.json):
        proof = guest.get(f"/api/bets/{placed['bet']['id']}?verify=true").json["proof"]["signed"]
        assert proof["ok"], proof["finding"]
        assert proof["adoption"]["message"].endswith(GUEST_URN + guest.user_id)
        signers.append(proof["by"])
    assert signers == ["guest", "guest", "wallet"]
    assert audit(arena.desk.database).faults == []
    guest.session_key = SESSION_KEY
    assert guest.log_in().user_id == user["id"]
    third = guest.place(guest.bet(rows=3)).json
    proof = guest.get(f"/api/bets/{third['bet']['id']}?verify=true").json["proof"]["signed"]
    assert (proof["ok"], proof["by"]) == (True, "session_key")


def test_a_wallet_that_names_the_guests_key_again_has_proofs_that_hold(arena: Arena, guest: Player) -> None:
    before = guest.place(guest.bet()).json["bet"]["id"]
    adopt(guest)
    guest.log_in()  # the key is still the session's
    after = guest.place(guest.bet(rows=1)).json["bet"]["id"]
    for bet_id, by in ((before, "guest"), (after, "session_key")):
        proof = guest.get(f"/api/bets/{bet_id}?verify=true").json["proof"]["signed"]
        assert (proof["ok"], proof["by"], proof["signer"]) == (True, by, BROWSER_KEY.text), proof["finding"]


def test_nothing_that_was_signed_before_counts_again_under_the_wallet(arena: Arena, guest: Player) -> None:
    bet, refused = guest.bet(), guest.bet(rows=1, min_rate_bp=900_000)
    assert [guest.place(one).status_code for one in (bet, refused)] == [201, 409]
    assert adopt(guest).status_code == 200
    assert [code_of(guest.place(one)) for one in (bet, refused)] == [REPLAYED, REPLAYED]
    guest.session_key = SESSION_KEY
    guest.log_in()
    text = message(arena.now_ms, nonce=arena.nonce(), resources=(SESSION_KEY_URN + BROWSER_KEY.text,)).to_text()
    body = dict(zip(("message", "signature"), signed(text), strict=True))
    guest.token = arena.one.client.simulate_post("/api/auth/login", json=body).json["token"]
    assert [code_of(guest.place(one)) for one in (bet, refused)] == [REPLAYED, REPLAYED]


def test_the_guests_key_signs_in_no_more_once_a_wallet_has_the_account(arena: Arena, guest: Player) -> None:
    adopt(guest)
    body = guest_body(BROWSER_KEY, DOMAIN, arena.now_ms, arena.nonce())
    assert code_of(arena.one.client.simulate_post("/api/auth/guest", json=body)) == (409, "GUEST_ADOPTED")
    assert arena.count("users") == 1


def test_a_wallet_with_an_account_takes_no_other_over(arena: Arena, guest: Player) -> None:
    Player(arena, WALLET).log_in()
    assert code_of(adopt(guest)) == (409, "WALLET_TAKEN")
    assert guest.get("/api/me").json["user"]["kind"] == "guest"
    assert guest.place(guest.bet()).status_code == 201


def test_a_lost_answer_can_be_asked_for_again_but_no_second_wallet_takes_over(arena: Arena, guest: Player) -> None:
    session = arena.one.sessions.find(guest.token)
    assert session is not None
    assert adopt(guest).status_code == 200
    # As if the answer and the end of the sessions had been lost.
    options: Any = {"session_key": BROWSER_KEY.text, "delegation_id": session.delegation_id, "is_guest": True}
    guest.token, _ = arena.one.sessions.create(guest.user_id, session.wallet, "192.0.2.7", **options)
    again = adopt(guest)
    assert (again.status_code, again.json["user"]["kind"]) == (200, "wallet")
    guest.token, _ = arena.one.sessions.create(guest.user_id, session.wallet, "192.0.2.7", **options)
    assert code_of(adopt(guest, adopting(guest, OTHER_WALLET))) == (409, "GUEST_ADOPTED")
    assert arena.count("adoptions") == 1
    assert audit(arena.desk.database).faults == []


def test_only_the_guests_own_account_is_given_and_only_by_its_own_message(
    arena: Arena, guest: Player, other: Player
) -> None:
    assert code_of(adopt(guest, adopting(other))) == INVALID
    assert code_of(adopt(guest, adopting(guest) | {"signature": adopting(guest, OTHER_WALLET)["signature"]})) == INVALID
    assert code_of(adopt(guest, adopting(guest, resources=None))) == (400, "INVALID_REQUEST")
    assert code_of(adopt(guest, adopting(guest, domain="evil.example"))) == INVALID
    assert code_of(adopt(guest, adopting(guest, chain_id=137))) == INVALID
    both = (GUEST_URN + guest.user_id, SESSION_KEY_URN + p256.PREFIX + "02" + "11" * 32)
    assert code_of(adopt(guest, adopting(guest, resources=both))) == (400, "INVALID_REQUEST")
    login = arena.one.client.simulate_post("/api/auth/login", json=adopting(guest))
    assert code_of(login) == (400, "INVALID_REQUEST")
    assert guest.get("/api/me").json["user"]["kind"] == "guest"
    used = adopting(guest)
    assert adopt(guest, used).status_code == 200
    assert code_of(adopt(other, used)) == INVALID
    wallet = Player(arena, OTHER_WALLET).log_in()
    assert code_of(wallet.send("/api/me/wallet", adopting(wallet))) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("UPDATE users SET guest_key = 'p256:02' || substr(guest_key, 8)", id="another key"),
        pytest.param("UPDATE users SET guest_key = NULL", id="no key"),
        pytest.param("UPDATE users SET wallet_address = '0x' || substr(wallet_address, 4) || '0'", id="another wallet"),
        pytest.param("UPDATE adoptions SET guest_address = 'x' || guest_address", id="another address before"),
        pytest.param("UPDATE adoptions SET message = message || ' '", id="another message"),
        pytest.param("UPDATE adoptions SET signature = upper(signature)", id="another signature"),
        pytest.param("DELETE FROM adoptions", id="never taken over"),
    ],
)
def test_whatever_is_changed_of_a_guest_or_its_wallet_is_found(arena: Arena, guest: Player, change: str) -> None:
    guest.place(guest.bet())
    adopt(guest)
    assert audit(arena.desk.database).faults == []
    arena.desk.database.execute("PRAGMA foreign_keys = 0")
    arena.desk.database.execute(change)
    assert audit(arena.desk.database).faults


def test_the_record_of_a_wallets_account_is_as_it_was_before_there_were_guests(arena: Arena, guest: Player) -> None:
    """Else the hash chain of every older database would break."""
    player = Player(arena, OTHER_WALLET).log_in()
    records = {record.row: record for record in walk(arena.desk.database) if record.table == "users"}
    [(created_ms,)] = arena.desk.database.execute("SELECT created_at FROM users WHERE id = ?", (player.user_id,))
    seal = Seal(key_of(arena.desk.database.execute, player.user_id) or b"")
    address = seal.close(player.wallet, about("address", player.user_id))
    before = chain.record("user", records[player.user_id].position, [player.user_id, address, created_ms])
    assert records[player.user_id].line == before
    seal = Seal(key_of(arena.desk.database.execute, guest.user_id) or b"")
    assert seal.close(BROWSER_KEY.text, about("guest_key", guest.user_id)).encode() in records[guest.user_id].line
