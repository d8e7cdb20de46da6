"""The stateless half of a login: a table of attacks, and mutated messages that nobody signed."""

from __future__ import annotations

import random
from typing import Any

import pytest

from runtime.auth.domains import Domains
from runtime.auth.login import check
from runtime.auth.signatures import address_of, sign
from runtime.clock import rfc3339
from runtime.errors import InvalidRequest, InvalidSignature, Refusal, SignatureExpired
from tests.runtime.auth.logins import DOMAIN, KEY, NOW_MS, SESSION_KEY, WALLET, delegating, message, signed

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
OTHER_KEY = b"\x33" * 32


def judge(text: str, signature: str, now_ms: int = NOW_MS) -> Any:
    return check(text, signature, Domains((DOMAIN,), "demo"), (1,), now_ms)


def at(ms: int) -> str:
    return rfc3339(NOW_MS + ms)


def judge_at(domains: Domains, changed: dict[str, Any], chain_ids: tuple[int, ...] = (1,)) -> Any:
    return check(*signed(message(**changed).to_text()), domains, chain_ids, NOW_MS)


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


LOOPBACK = ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"]


@pytest.mark.parametrize("setting", LOOPBACK)
@pytest.mark.parametrize("shown", [*LOOPBACK, "LocalHost:8000"])
def test_the_names_of_this_machine_are_one_domain_in_demo_mode_only(setting: str, shown: str) -> None:
    changed = {"domain": shown, "uri": f"http://{shown}"}
    assert judge_at(Domains((setting,), "demo"), changed).wallet == WALLET
    assert judge_at(Domains((setting,), "demo"), changed | {"uri": f"http://{setting}/"}).wallet == WALLET
    if shown.lower() != setting:
        with pytest.raises(InvalidSignature, match="another domain"):
            judge_at(Domains((setting,), "live"), changed)


@pytest.mark.parametrize(
    "shown", ["localhost", "localhost:8001", "localhost.evil.example:8000", "127.0.0.1:80000", "evil.localhost:8000"]
)
def test_what_looks_like_this_machine_is_another_domain(shown: str) -> None:
    with pytest.raises(InvalidSignature):
        judge_at(Domains((DOMAIN,), "demo"), {"domain": shown, "uri": f"http://{shown}"})


def test_one_domain_of_several_is_signed_for_and_its_uri_is_on_the_same() -> None:
    domains = Domains(("tap.example", "www.tap.example"), "live")
    for name in ("tap.example", "www.tap.example"):
        assert judge_at(domains, {"domain": name, "uri": f"https://{name}/play"}).wallet == WALLET
    with pytest.raises(InvalidSignature, match=r"URI is not on tap\.example"):
        judge_at(domains, {"domain": "tap.example", "uri": "https://www.tap.example"})
    with pytest.raises(InvalidSignature, match=r"this is tap\.example or www\.tap\.example") as caught:
        judge_at(domains, {"domain": "localhost", "uri": "http://localhost"})
    assert caught.value.arguments == {"expected": "tap.example", "accepted": ["tap.example", "www.tap.example"]}


def test_one_chain_of_several_is_signed_for() -> None:
    domains = Domains((DOMAIN,), "demo")
    for chain_id in (1, 137):
        assert judge_at(domains, {"chain_id": chain_id}, (1, 137)).wallet == WALLET
    with pytest.raises(InvalidSignature, match="this is 1 or 137"):
        judge_at(domains, {"chain_id": 10}, (1, 137))


def test_a_session_key_is_carried_over() -> None:
    assert judge(*signed(delegating().to_text())).session_key == SESSION_KEY


def test_checksum_and_lower_case_lead_to_one_wallet() -> None:
    one, other = judge(*signed(message().to_text())), judge(*signed(message(address=WALLET).to_text()))
    assert one.wallet == other.wallet == WALLET


@pytest.mark.parametrize("prefix", ["0x", "0X", ""])
def test_a_signature_is_taken_with_or_without_its_prefix(prefix: str) -> None:
    text, signature = signed(message().to_text())
    assert judge(text, prefix + signature[2:].upper()) == judge(text, signature)


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
    with pytest.raises(InvalidSignature, match=r"CONTRACT_WALLET: Contract wallets \(EIP-1271, EIP-6492\)"):
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
