"""The stateless half of a login: a table of attacks, and mutated messages that nobody signed."""

from __future__ import annotations

import random
from typing import Any

import pytest

from runtime.auth.login import check
from runtime.auth.signatures import address_of, sign
from runtime.clock import rfc3339
from runtime.errors import InvalidRequest, InvalidSignature, Refusal, SignatureExpired
from tests.runtime.auth.logins import DOMAIN, KEY, NOW_MS, SESSION_KEY, WALLET, delegating, message, signed

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
OTHER_KEY = b"\x33" * 32


def judge(text: str, signature: str, now_ms: int = NOW_MS) -> Any:
    return check(text, signature, DOMAIN, 1, now_ms)


def at(ms: int) -> str:
    return rfc3339(NOW_MS + ms)


ACCEPTED = [
    pytest.param({}, id="plain"),
    pytest.param({"address": WALLET}, id="lower-case address"),
    pytest.param({"issued_at": at(-30_000)}, id="30 s old"),
    pytest.param({"issued_at": at(5_000)}, id="5 s ahead"),
    pytest.param({"expiration_time": at(1), "not_before": at(0)}, id="within its bounds"),
    pytest.param({"uri": f"https://{DOMAIN}/login?next=/#top"}, id="URI with a path"),
    pytest.param({"scheme": "http"}, id="scheme"),
    pytest.param({"statement": None}, id="no statement"),
]
REFUSED = [
    pytest.param({"domain": "evil.example"}, InvalidSignature, id="other domain"),
    pytest.param({"domain": "evil@127.0.0.1:8000"}, InvalidSignature, id="domain with user info"),
    pytest.param({"domain": "127.0.0.1"}, InvalidSignature, id="domain without its port"),
    pytest.param({"uri": "http://evil.example"}, InvalidSignature, id="other URI"),
    pytest.param({"uri": f"http://{DOMAIN}@evil.example"}, InvalidSignature, id="URI that starts like ours"),
    pytest.param({"uri": f"http://{DOMAIN}.evil.example"}, InvalidRequest, id="URI with our domain as its head"),
    pytest.param({"uri": f"http://{DOMAIN}0"}, InvalidSignature, id="URI with a longer port"),
    pytest.param({"uri": f"ftp://{DOMAIN}"}, InvalidSignature, id="URI of another scheme"),
    pytest.param({"uri": f"http:{DOMAIN}"}, InvalidSignature, id="URI without authority"),
    pytest.param({"scheme": "https"}, InvalidSignature, id="scheme that differs from the URI's"),
    pytest.param({"chain_id": 137}, InvalidSignature, id="other chain"),
    pytest.param({"issued_at": at(-30_001)}, SignatureExpired, id="too old"),
    pytest.param({"issued_at": at(5_001)}, SignatureExpired, id="from the future"),
    pytest.param({"issued_at": at(-(10**12))}, SignatureExpired, id="very old"),
    pytest.param({"expiration_time": at(0)}, SignatureExpired, id="expired"),
    pytest.param({"not_before": at(1)}, SignatureExpired, id="not yet"),
    pytest.param({"address": address_of(OTHER_KEY)}, InvalidSignature, id="somebody else's address"),
    pytest.param({"address": "0x" + WALLET[2:].upper()}, InvalidRequest, id="wrong case"),
    pytest.param({"nonce": "abcd123"}, InvalidRequest, id="short nonce"),
    pytest.param({"statement": "a\nb"}, InvalidRequest, id="newline"),
    pytest.param({"statement": "caf\u00e9"}, InvalidRequest, id="composed letter"),
    pytest.param({"statement": "cafe\u0301"}, InvalidRequest, id="decomposed letter"),
    pytest.param({"statement": "\ud800"}, InvalidRequest, id="lone surrogate"),
    pytest.param({"version": "2"}, InvalidRequest, id="other version"),
]


@pytest.mark.parametrize("changed", ACCEPTED)
def test_good_messages_pass(changed: dict[str, Any]) -> None:
    claim = judge(*signed(message(**changed).to_text()))
    assert (claim.wallet, claim.session_key, claim.nonce) == (WALLET, None, "abcd1234EFGH")


@pytest.mark.parametrize(("changed", "refusal"), REFUSED)
def test_attacks_are_refused(changed: dict[str, Any], refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        judge(*signed(message(**changed).to_text()))


def test_a_session_key_is_carried_over() -> None:
    assert judge(*signed(delegating().to_text())).session_key == SESSION_KEY


def test_checksum_and_lower_case_lead_to_one_wallet() -> None:
    assert judge(*signed(message().to_text())) == judge(*signed(message(address=WALLET).to_text()))


def signatures() -> list[Any]:
    text = message().to_text()
    genuine = sign(text.encode(), KEY)
    r, s, v = genuine[2:66], int(genuine[66:130], 16), int(genuine[130:], 16)
    return [
        pytest.param(f"0x{r}{ORDER - s:064x}{55 - v:02x}", id="high s"),
        pytest.param(genuine[:130], id="64 bytes"),
        pytest.param(genuine + "00", id="66 bytes"),
        pytest.param("0x" + "00" * 65, id="zeros"),
        pytest.param(genuine[:-2] + f"{55 - v:02x}", id="other recovery id"),
        pytest.param(genuine[:-2] + "25", id="v of EIP-155"),
        pytest.param(genuine[2:], id="no 0x"),
        pytest.param("", id="nothing"),
        pytest.param("no hex", id="no hex"),
        pytest.param(sign(text.encode(), OTHER_KEY), id="somebody else's"),
        pytest.param(sign(text.encode() + b" ", KEY), id="over another text"),
    ]


@pytest.mark.parametrize("signature", signatures())
def test_wrong_signatures_are_refused(signature: str) -> None:
    with pytest.raises(InvalidSignature):
        judge(message().to_text(), signature)


def test_a_contract_wallet_is_told_so() -> None:
    with pytest.raises(InvalidSignature, match="Contract wallets"):
        judge(message().to_text(), "0x" + "ab" * 600)


def test_a_long_signature_is_not_even_decoded() -> None:
    with pytest.raises(InvalidSignature):
        judge(message().to_text(), "0x" + "ab" * 5_000_000)


def test_mutated_messages_are_all_refused() -> None:
    rng = random.Random(191)
    text, signature = signed(delegating().to_text())
    alphabet = text + "\r\té\ud800\x00"
    for _ in range(500):
        letters = list(text)
        for _ in range(rng.randint(1, 4)):
            at_letter = rng.randrange(len(letters))
            letters[at_letter : at_letter + rng.randrange(3)] = rng.choice(["", rng.choice(alphabet)])
        mutated = "".join(letters)
        if mutated != text:
            with pytest.raises(Refusal) as caught:
                judge(mutated, signature)
            assert caught.value.status in (400, 401)
