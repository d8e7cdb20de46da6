"""What arguments of commands may be; each type says in its refusal what is expected."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError, HelpFormatter
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from runtime.game.ids import ulid_ms
from runtime.hosts import shown_host
from runtime.operating.words import is_said
from runtime.setting_forms import whole
from taptrade.house_address import house_address

SHOWN_MAX = 60
SPAN_DIGITS_MAX = 6
_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
WAIT_S_MAX = 3_600
_CELL = re.compile(r"[0-9]{1,10}_[0-9]{1,10}_[0-9]{1,10}")
_T = TypeVar("_T")


class WithExamples(HelpFormatter):
    """Fill the description of a command, and leave the examples below its arguments as they are written."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith("examples:") else super()._fill_text(text, width, indent)


def typed(parse: Callable[[str], _T]) -> Callable[[str], _T]:
    """Return an argparse type of a parser that says by ValueError what is wrong, as those of the settings do."""

    def read(text: str) -> _T:
        try:
            return parse(text)
        except ValueError as ex:
            raise ArgumentTypeError(f"{text[:SHOWN_MAX]!r}: {ex}") from None

    return read


def count(most: int) -> Callable[[str], int]:
    """Return an argparse type: a whole number from 1 to `most`."""
    return typed(whole(1, most))


def said(length_max: int) -> Callable[[str], str]:
    """Return an argparse type: printable text of one line that says something."""

    def text(value: str) -> str:
        cleaned = value.strip()
        if not is_said(cleaned, length_max):
            raise ArgumentTypeError(f"say something, on one line of at most {length_max} characters")
        return cleaned

    return text


def id_of(what: str) -> Callable[[str], str]:
    """Return an argparse type: the id of a row."""

    def read(text: str) -> str:
        if ulid_ms(text.upper()) is None:
            raise ValueError(f"is no id of a {what}, which has 26 letters and digits")
        return text.upper()

    return typed(read)


@typed
def seconds(text: str) -> float:
    """Read how long to wait."""
    found = float(text)
    if not 0 <= found <= WAIT_S_MAX:
        raise ValueError(f"must be between 0 and {WAIT_S_MAX}")
    return found


@typed
def span_ms(text: str) -> int:
    """Read how long something lasts, in milliseconds."""
    number, unit = text[:-1], text[-1:]
    known = unit in _UNITS_MS and number.isascii() and number.isdigit() and len(number) <= SPAN_DIGITS_MAX
    if not known or not int(number):
        raise ValueError("must be a number and a unit, such as 90s, 30m, 2h or 1d")
    return int(number) * _UNITS_MS[unit]


@typed
def cell(text: str) -> str:
    """Read the id of a cell."""
    if not _CELL.fullmatch(text):
        raise ValueError("must be a cell's id, COLUMN_LOW_HIGH as the grid has it")
    return text


@typed
def api_url(text: str) -> str:
    """Read where an API is."""
    try:
        httpx.URL(text)
        known = bool(shown_host(urlsplit(house_address(text)).netloc.rpartition("@")[2]))
    except (ValueError, httpx.InvalidURL):
        known = False
    if not known:
        raise ValueError("must be an address such as http://127.0.0.1:8000")
    return text
