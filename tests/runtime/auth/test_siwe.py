"""The EIP-4361 parser: what the grammar allows comes back as it was, all else is refused with a reason."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.auth.siwe import MESSAGE_CHARACTERS_MAX, SESSION_KEY_URN, SiweError, SiweMessage, parse
from tests.runtime.auth.logins import SESSION_KEY, WALLET, delegating, message

FROM_THE_SPECIFICATION = """\
https://example.com:3388 wants you to sign in with your Ethereum account:
0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2

I accept the ExampleOrg Terms of Service: https://example.com/tos

URI: https://example.com/login
Version: 1
Chain ID: 1
Nonce: 32891756
Issued At: 2021-09-30T16:25:24Z
Expiration Time: 2021-09-30T17:25:24+01:00
Not Before: 2021-09-30T16:25:24.5-00:30
Request ID: some%20id
Resources:
- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/
- https://example.com/my-web2-claim.json"""


def test_every_field_of_a_full_message_is_read() -> None:
    parsed = parse(FROM_THE_SPECIFICATION)
    assert (parsed.scheme, parsed.domain, parsed.chain_id) == ("https", "example.com:3388", 1)
    assert parsed.wallet == "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
    assert parsed.statement == "I accept the ExampleOrg Terms of Service: https://example.com/tos"
    assert parsed.uri_origin == ("https", "example.com")
    assert parsed.issued_ms == 1_633_019_124_000
    assert parsed.expires_ms == 1_633_019_124_000
    assert parsed.not_before_ms == 1_633_019_124_500 + 30 * 60_000
    assert parsed.request_id == "some%20id"
    assert len(parsed.resources or ()) == 2
    assert parsed.session_key is None
    assert parsed.to_text() == FROM_THE_SPECIFICATION


VARIANTS = [
    pytest.param(message(), id="plain"),
    pytest.param(message(statement=None), id="no statement"),
    pytest.param(message(statement=""), id="empty statement"),
    pytest.param(message(statement="URI: https://elsewhere.example"), id="a statement that looks like a field"),
    pytest.param(message(scheme="https"), id="scheme"),
    pytest.param(message(address=WALLET), id="lower-case address"),
    pytest.param(message(domain="[::1]:8000", uri="http://[::1]:8000/"), id="IPv6"),
    pytest.param(message(uri="urn:isbn:0451450523"), id="URI without authority"),
    pytest.param(message(uri="https://a.example/p/a?q=/?#f"), id="URI with everything"),
    pytest.param(message(resources=()), id="Resources without any"),
    pytest.param(message(request_id=""), id="empty request id"),
    pytest.param(message(issued_at="2026-09-21t14:13:20.123456789z"), id="lower-case date-time"),
    pytest.param(delegating(), id="session key"),
    pytest.param(message(nonce="d616e52c" * 16), id="the longest nonce"),
]


@pytest.mark.parametrize("written", VARIANTS)
def test_messages_come_back_as_they_were(written: SiweMessage) -> None:
    assert parse(written.to_text()) == written


def test_a_session_key_is_named_by_a_resource() -> None:
    assert parse(delegating().to_text()).session_key == SESSION_KEY
    assert parse(message(resources=("https://a.example",)).to_text()).session_key is None


TEXT = delegating(not_before="2026-09-21T00:00:00Z").to_text()
REFUSED = [
    pytest.param("", id="empty"),
    pytest.param(TEXT + "\n", id="newline behind"),
    pytest.param("\n" + TEXT, id="newline before"),
    pytest.param(TEXT + " ", id="blank behind"),
    pytest.param(TEXT + "\n- no uri", id="bad resource"),
    pytest.param(TEXT + "\nNonce: zzzzzzzz9", id="second nonce"),
    pytest.param(TEXT.replace("\n", "\r\n"), id="CRLF"),
    pytest.param(TEXT.replace("Sign in", "Sign\u00e9"), id="composed letter"),
    pytest.param(TEXT.replace("Sign in", "Signe\u0301"), id="decomposed letter"),
    pytest.param(TEXT.replace("Sign in", "\U0001f600"), id="emoji"),
    pytest.param(TEXT.replace("Sign in", "\ud800"), id="lone surrogate"),
    pytest.param(TEXT.replace("Sign in", "Sign\x00in"), id="NUL"),
    pytest.param(TEXT.replace("Sign in", "Sign\tin"), id="tab"),
    pytest.param(TEXT.replace("Sign in", "Sign\u2028in"), id="line separator"),
    pytest.param(TEXT.replace("Sign in", 'Sign "in"'), id="quotes are not in the grammar"),
    pytest.param(TEXT.replace("Sign in", "Sign\nin"), id="newline in the statement"),
    pytest.param(TEXT.replace("Sign in to Tap Trading.\n\n", "Sign in\n"), id="no empty line before the URI"),
    pytest.param(TEXT.replace("Version: 1", "Version: 2"), id="version 2"),
    pytest.param(TEXT.replace("Version: 1", "Version: 1 "), id="blank behind the version"),
    pytest.param(TEXT.replace("Version: 1", "version: 1"), id="name in lower case"),
    pytest.param(TEXT.replace("Version: 1\n", ""), id="no version"),
    pytest.param(TEXT.replace("Chain ID: 1", "Chain ID: 01"), id="leading zero"),
    pytest.param(TEXT.replace("Chain ID: 1", "Chain ID: -1"), id="negative chain"),
    pytest.param(TEXT.replace("Chain ID: 1", "Chain ID: " + "9" * 3_000), id="huge chain"),
    pytest.param(TEXT.replace("Chain ID: 1", "Chain ID: 0x1"), id="hex chain"),
    pytest.param(TEXT.replace("abcd1234EFGH", "abcd123"), id="short nonce"),
    pytest.param(TEXT.replace("abcd1234EFGH", "a" * 129), id="long nonce"),
    pytest.param(TEXT.replace("abcd1234EFGH", "abcd-1234"), id="nonce with a dash"),
    pytest.param(TEXT.replace("abcd1234EFGH", "abcd1234\nIssued At: 2026-09-21T14:13:20Z"), id="injected line"),
    pytest.param(TEXT.replace("\n0x", "\n0y", 1), id="broken address"),
    pytest.param(TEXT.replace("\n0x", "\n0X", 1), id="0X"),
    pytest.param(TEXT.replace("\n0x19E7", "\n0x19e7", 1), id="wrong checksum"),
    pytest.param(TEXT.replace("\n0x", "\n", 1), id="no 0x"),
    pytest.param(TEXT.replace("URI: http://", "URI: //"), id="relative URI"),
    pytest.param(TEXT.replace("URI: http://127.0.0.1:8000", "URI: http://a b"), id="URI with a blank"),
    pytest.param(TEXT.replace("URI: http://127.0.0.1:8000", "URI: http://a/%zz"), id="URI with a bad escape"),
    pytest.param(TEXT.replace("127.0.0.1:8000 wants", " wants"), id="no domain"),
    pytest.param(TEXT.replace("wants you", "wants  you"), id="changed heading"),
    pytest.param(TEXT.replace("2026-09-21T14", "2026-09-21 14"), id="blank in the time"),
    pytest.param(TEXT.replace("2026-09-21T14", "2026-13-21T14"), id="month 13"),
    pytest.param(TEXT.replace("2026-09-21T14", "0000-09-21T14"), id="year 0"),
    pytest.param(TEXT.replace("2026-09-21T14", "2026-02-30T14"), id="30 February"),
    pytest.param(TEXT.replace("2026-09-21T14", "2026-09-21T24"), id="24 o'clock"),
    pytest.param(TEXT.replace(".000Z", ""), id="no offset"),
    pytest.param(TEXT.replace(".000Z", "+24:00"), id="offset of a day"),
    pytest.param(TEXT.replace(".000Z", ".Z"), id="no fraction"),
    pytest.param(TEXT.replace("Not Before: 2026-09-21T00:00:00Z", "Not Before: tomorrow"), id="no date-time"),
    pytest.param(TEXT + "\n- " + SESSION_KEY_URN + SESSION_KEY, id="two session keys"),
    pytest.param(TEXT[:-1], id="session key cut short"),
    pytest.param(TEXT.replace(SESSION_KEY_URN, "URN:TapTrade:Session-Key:"), id="session key in other letters"),
    pytest.param(TEXT.replace(SESSION_KEY_URN, "urn:taptrade:admin:"), id="another resource of ours"),
    pytest.param(TEXT + "a" * MESSAGE_CHARACTERS_MAX, id="too long"),
]


def test_the_longest_that_wallets_write_fits() -> None:
    long = delegating(
        nonce="a" * 96,
        statement="I accept the terms: https://tap.example/terms. " + "I further authorize the stated URI. " * 10,
        expiration_time="2026-09-21T15:13:20.000Z",
        not_before="2026-09-21T14:13:20.000Z",
        request_id="f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    )
    recap = f"urn:recap:{'eyJhdHQi' * 40}"
    text = replace(long, resources=(*(long.resources or ()), recap)).to_text()
    assert 1_100 < len(text) <= MESSAGE_CHARACTERS_MAX
    assert parse(text).session_key == SESSION_KEY


def test_the_limit_is_exact() -> None:
    text = message(statement="").to_text()
    fits, over = (message(statement="a" * (MESSAGE_CHARACTERS_MAX - len(text) + more)).to_text() for more in (0, 1))
    assert len(fits) == MESSAGE_CHARACTERS_MAX
    assert parse(fits).statement
    with pytest.raises(SiweError, match="longer than 1536 characters"):
        parse(over)


@pytest.mark.parametrize("text", REFUSED)
def test_anything_else_is_refused_with_a_reason(text: str) -> None:
    assert text != TEXT
    with pytest.raises(SiweError) as caught:
        parse(text)
    assert str(caught.value)


@pytest.mark.parametrize("nonce", ["abcd123", "a" * 129])
def test_a_nonce_that_is_refused_is_told_the_rule(nonce: str) -> None:
    with pytest.raises(SiweError, match=r"a nonce is 8 to 128 letters and digits"):
        parse(message(nonce=nonce).to_text())


def test_optional_fields_have_one_order() -> None:
    text = message(expiration_time="2026-09-22T00:00:00Z", not_before="2026-09-21T00:00:00Z").to_text()
    lines = text.split("\n")
    lines[-1], lines[-2] = lines[-2], lines[-1]
    with pytest.raises(SiweError):
        parse("\n".join(lines))


@given(st.text(max_size=400))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with suppress(SiweError):
        assert parse(text).to_text() == text


def test_mutated_messages_that_parse_write_back_as_the_same_text() -> None:
    rng = random.Random(4361)
    alphabet = "\n 0aZ%:/-.@[]#é\r" + TEXT
    accepted = 0
    for _ in range(600):
        letters = list(TEXT)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(letters))
            match rng.randrange(3):
                case 0:
                    letters[at] = rng.choice(alphabet)
                case 1:
                    del letters[at]
                case _:
                    letters.insert(at, rng.choice(alphabet))
        text = "".join(letters)
        with suppress(SiweError):
            assert parse(text).to_text() == text
            accepted += 1
    assert accepted > 30
