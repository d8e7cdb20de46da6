"""The productions of EIP-4361, RFC 3986 and RFC 3339 that a login message is made of, as ASCII patterns."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_UNRESERVED = r"A-Za-z0-9\-._~"
_SUB_DELIMS = r"!$&'()*+,;="
_PERCENT = r"%[0-9A-Fa-f]{2}"
_PCHAR = rf"(?:[{_UNRESERVED}{_SUB_DELIMS}:@]|{_PERCENT})"
_SCHEME = r"[A-Za-z][A-Za-z0-9+\-.]*"
_USERINFO = rf"(?:[{_UNRESERVED}{_SUB_DELIMS}:]|{_PERCENT})*"
_IP_LITERAL = rf"\[(?:[0-9A-Fa-f:.]+|[vV][0-9A-Fa-f]+\.[{_UNRESERVED}{_SUB_DELIMS}:]+)\]"
_REG_NAME = rf"(?:[{_UNRESERVED}{_SUB_DELIMS}]|{_PERCENT})+"
_AUTHORITY = rf"(?:{_USERINFO}@)?(?:{_IP_LITERAL}|{_REG_NAME})(?::[0-9]*)?"
_PATH = rf"(?://(?P<authority>{_AUTHORITY})(?:/{_PCHAR}*)*|/(?:{_PCHAR}+(?:/{_PCHAR}*)*)?|{_PCHAR}+(?:/{_PCHAR}*)*|)"
_TAIL = rf"(?:{_PCHAR}|[/?])*"

HEADING = re.compile(
    rf"(?:(?P<scheme>{_SCHEME})://)?(?P<domain>{_AUTHORITY}) wants you to sign in with your Ethereum account:"
)
STATEMENT = re.compile(rf"[{_UNRESERVED}{_SUB_DELIMS}:/?#\[\]@ ]*")
URI = re.compile(rf"(?P<scheme>{_SCHEME}):{_PATH}(?:\?{_TAIL})?(?:#{_TAIL})?")
VERSION = re.compile(r"1")
# ABNF allows leading zeros; one number, one spelling, so that a parsed message writes back as the text it came from.
CHAIN_ID = re.compile(r"0|[1-9][0-9]{0,31}")
REQUEST_ID = re.compile(rf"{_PCHAR}*")
DATE_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
ODD_CHARACTER = re.compile(r"[^\n\x20-\x7e]")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def date_time_ms(text: str) -> int | None:
    """Return the Unix milliseconds of an RFC 3339 date-time, None if it is none."""
    match = DATE_TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    fraction, sign, offset_hours, offset_minutes = match.groups()[6:]
    local_ms = (local - _EPOCH) // timedelta(milliseconds=1) + int(((fraction or "") + "000")[:3])
    offset_ms = (int(offset_hours or 0) * 60 + int(offset_minutes or 0)) * 60_000
    return local_ms + offset_ms if sign == "-" else local_ms - offset_ms
