"""Arguments that cannot be meant are refused with what is expected."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import pytest

from taptrade.arguments import api_url, cell, count, id_of, said, seconds

ULID = "01M8F6M5MM43BMJKP1NT7CS3J0"


@pytest.mark.parametrize(
    ("read", "text", "found"),
    [
        (count(100), "100", 100),
        (said(5), " ann ", "ann"),
        (id_of("bet"), ULID.lower(), ULID),
        (seconds, "0.5", 0.5),
        (cell, "1795806620_9371500_9372000", "1795806620_9371500_9372000"),
        (api_url, "https://tap.example:8000/", "https://tap.example:8000/"),
        (api_url, "http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_what_is_meant_is_read(read: Callable[[str], object], text: str, found: object) -> None:
    assert read(text) == found


@pytest.mark.parametrize(
    ("read", "texts", "expected"),
    [
        pytest.param(count(100), ("0", "-1", "101"), "must be between 1 and 100", id="count"),
        pytest.param(count(100), ("", "x", "1.5", "1e2", "9" * 5_000), "must be a whole number", id="no count"),
        pytest.param(
            said(5), ("", " ", "a\nb", "\udcff", "annann"), "say something, on one line of at most 5", id="word"
        ),
        pytest.param(
            id_of("bet"), ("", "x", ULID[1:], ULID + "0", "8" + ULID[1:], "\udcff"), "is no id of a bet", id="id"
        ),
        pytest.param(seconds, ("-1", "nan", "inf", "3601"), "must be between 0 and 3600", id="seconds"),
        pytest.param(seconds, ("", "soon"), "could not convert", id="no seconds"),
        pytest.param(cell, ("", "1_2", "1_2_3_4", "1_2_x", "1_2_3\n", "-1_2_3"), "must be a cell's id", id="cell"),
        pytest.param(
            api_url,
            ("", "x", "ftp://x", "http://", "http://[::1", "http://x:99999", "http://x:y", "http://x:0", "http://x\n/"),
            "must be an address such as http://127.0.0.1:8000",
            id="address",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(read: Callable[[str], object], texts: tuple[str, ...], expected: str) -> None:
    for text in texts:
        with pytest.raises(argparse.ArgumentTypeError) as refused:
            read(text)
        assert expected in str(refused.value)
        assert len(str(refused.value)) < 200
