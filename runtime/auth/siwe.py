"""Sign-In with Ethereum: a strict EIP-4361 parser whose messages write back as the very text they came from."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runtime.addresses import AddressError, canonical_address
from runtime.auth import p256
from runtime.auth import siwe_grammar as grammar
from runtime.auth.nonces import NONCE_RULE, is_nonce

MESSAGE_CHARACTERS_MAX = 1_536
"""A message that delegates a key is kept for ever. Wallets' libraries write some 300 characters, 400 with a nonce of 96
and a session key; terms in the statement and a ReCap among the resources (EIP-5573) make it 900, seldom 1,300."""
SESSION_KEY_URN = "urn:taptrade:session-key:"
GUEST_URN = "urn:taptrade:guest:"
OPERATE_URN = "urn:taptrade:operate"
"""The resource of a message that begins an operator's session."""
_OUR_URN = "urn:taptrade:"


class SiweError(ValueError):
    """The text is no EIP-4361 message; the argument says why."""


@dataclass(frozen=True, slots=True)
class SiweMessage:
    """A parsed message; every field as it was written."""

    domain: str
    address: str
    uri: str
    chain_id: int
    nonce: str
    issued_at: str
    scheme: str | None = None
    statement: str | None = None
    version: str = "1"
    expiration_time: str | None = None
    not_before: str | None = None
    request_id: str | None = None
    resources: tuple[str, ...] | None = None

    @property
    def wallet(self) -> str:
        """The address in its canonical form."""
        return canonical_address(self.address)

    @property
    def issued_ms(self) -> int:
        """When the message was issued."""
        return _ms(self.issued_at, "Issued At")

    @property
    def expires_ms(self) -> int | None:
        """From when on the message counts no more."""
        return None if self.expiration_time is None else _ms(self.expiration_time, "Expiration Time")

    @property
    def not_before_ms(self) -> int | None:
        """From when on the message counts."""
        return None if self.not_before is None else _ms(self.not_before, "Not Before")

    @property
    def uri_origin(self) -> tuple[str, str | None]:
        """Scheme (lower case) and authority of the URI."""
        match = _matched(grammar.URI, self.uri, "URI")
        return match["scheme"].lower(), match["authority"]

    @property
    def session_key(self) -> str | None:
        """What this login lets sign bets, if it names anything: a canonical address, or the text of a P-256 key."""
        ours = self._ours
        return _session_key(ours.removeprefix(SESSION_KEY_URN)) if ours.startswith(SESSION_KEY_URN) else None

    @property
    def guest_id(self) -> str | None:
        """The guest's account that the wallet takes over, if this is what the message is for."""
        ours = self._ours
        return ours.removeprefix(GUEST_URN) if ours.startswith(GUEST_URN) else None

    @property
    def is_for_operating(self) -> bool:
        """Whether the message begins an operator's session, and none of a player's."""
        return self._ours == OPERATE_URN

    @property
    def _ours(self) -> str:
        ours = [resource for resource in self.resources or () if resource.lower().startswith(_OUR_URN)]
        if len(ours) > 1:
            raise SiweError("at most one of our resources can be named")
        if ours and ours[0] != OPERATE_URN and not ours[0].startswith((SESSION_KEY_URN, GUEST_URN)):
            known = f"{SESSION_KEY_URN}..., {GUEST_URN}... and {OPERATE_URN}"
            raise SiweError(f"the only resources of ours are {known}")
        return ours[0] if ours else ""

    def to_text(self) -> str:
        """Write the message as EIP-4361 text, ready to be signed."""
        origin = f"{self.scheme}://{self.domain}" if self.scheme is not None else self.domain
        lines = [f"{origin} wants you to sign in with your Ethereum account:", self.address, ""]
        lines += [self.statement] if self.statement is not None else []
        lines += ["", f"URI: {self.uri}", f"Version: {self.version}", f"Chain ID: {self.chain_id}"]
        lines += [f"Nonce: {self.nonce}", f"Issued At: {self.issued_at}"]
        optional = (
            ("Expiration Time", self.expiration_time),
            ("Not Before", self.not_before),
            ("Request ID", self.request_id),
        )
        lines += [f"{name}: {value}" for name, value in optional if value is not None]
        if self.resources is not None:
            lines += ["Resources:", *(f"- {resource}" for resource in self.resources)]
        return "\n".join(lines)


def parse(text: str) -> SiweMessage:
    """Read an EIP-4361 message; raise SiweError that says what is wrong with it."""
    _refuse_odd_text(text)
    lines = _Lines(text)
    heading = _matched(grammar.HEADING, lines.take(), "heading")
    message = SiweMessage(
        scheme=heading["scheme"],
        domain=heading["domain"],
        address=lines.take(),
        statement=_statement(lines),
        uri=lines.field("URI", grammar.URI),
        version=lines.field("Version", grammar.VERSION),
        chain_id=int(lines.field("Chain ID", grammar.CHAIN_ID)),
        nonce=_nonce(lines.value("Nonce")),
        issued_at=lines.field("Issued At", grammar.DATE_TIME),
        expiration_time=lines.optional("Expiration Time", grammar.DATE_TIME),
        not_before=lines.optional("Not Before", grammar.DATE_TIME),
        request_id=lines.optional("Request ID", grammar.REQUEST_ID),
        resources=_resources(lines),
    )
    if not lines.ended:
        raise SiweError(f"unexpected line after the message: {lines.take()[:40]!r}")
    _refuse_odd_values(message)
    return message


class _Lines:
    """The lines of a message, taken one after the other."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._next = 0

    @property
    def ended(self) -> bool:
        return self._next == len(self._lines)

    def peek(self, ahead: int = 0) -> str | None:
        at = self._next + ahead
        return self._lines[at] if at < len(self._lines) else None

    def take(self) -> str:
        line = self.peek()
        if line is None:
            raise SiweError("the message ends too early")
        self._next += 1
        return line

    def value(self, name: str) -> str:
        line = self.take()
        if not line.startswith(f"{name}: "):
            raise SiweError(f"expected the line {name!r}, found {line[:40]!r}")
        return line[len(name) + 2 :]

    def field(self, name: str, pattern: re.Pattern[str]) -> str:
        value = self.value(name)
        _matched(pattern, value, name)
        return value

    def optional(self, name: str, pattern: re.Pattern[str]) -> str | None:
        line = self.peek()
        return self.field(name, pattern) if line is not None and line.startswith(f"{name}: ") else None


def _statement(lines: _Lines) -> str | None:
    """Take the empty line, the statement if there is one, and the empty line before the URI."""
    _matched(_EMPTY, lines.take(), "line after the address")
    following = lines.peek(1)
    statement = None
    if not (lines.peek() == "" and following is not None and following.startswith("URI: ")):
        statement = lines.take()
        _matched(grammar.STATEMENT, statement, "statement")
    _matched(_EMPTY, lines.take(), "line before the URI")
    return statement


def _nonce(value: str) -> str:
    if not is_nonce(value):
        raise SiweError(f"Nonce: {value[:40]!r}: {NONCE_RULE}")
    return value


def _resources(lines: _Lines) -> tuple[str, ...] | None:
    if lines.peek() != "Resources:":
        return None
    lines.take()
    resources = []
    while (line := lines.peek()) is not None and line.startswith("- "):
        resources.append(lines.take()[2:])
        _matched(grammar.URI, resources[-1], "Resources")
    return tuple(resources)


def _refuse_odd_text(text: str) -> None:
    if len(text) > MESSAGE_CHARACTERS_MAX:
        raise SiweError(f"the message is longer than {MESSAGE_CHARACTERS_MAX} characters")
    odd = grammar.ODD_CHARACTER.search(text)
    if odd is not None:
        raise SiweError(f"character U+{ord(odd[0]):04X} is not allowed in an EIP-4361 message")


def _refuse_odd_values(message: SiweMessage) -> None:
    """Read every value that is more than its pattern once, so that no property raises later."""
    try:
        canonical_address(message.address)
    except AddressError as ex:
        raise SiweError(str(ex)) from ex
    _ = message.issued_ms, message.expires_ms, message.not_before_ms, message.session_key


def _session_key(text: str) -> str:
    try:
        if text.startswith(p256.PREFIX):
            p256.parse_key(text)
            return text
        return canonical_address(text)
    except p256.KeyTextError as ex:
        raise SiweError(f"Resources: session key: {ex}") from ex
    except AddressError as ex:
        raise SiweError(f"Resources: session key: {ex}; {p256.KEY_RULE}") from ex


def _matched(pattern: re.Pattern[str], value: str, name: str) -> re.Match[str]:
    match = pattern.fullmatch(value)
    if match is None:
        raise SiweError(f"{name}: {value[:40]!r} does not fit EIP-4361")
    return match


def _ms(text: str, name: str) -> int:
    ms = grammar.date_time_ms(text)
    if ms is None:
        raise SiweError(f"{name}: {text[:40]!r} is no RFC 3339 date-time")
    return ms


_EMPTY = re.compile("")
