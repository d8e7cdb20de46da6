"""Reading recordings: the shipped one, what is harmless in a file, and what is refused by its line."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from jobs.feed import recording
from jobs.feed.recording import GAP_MS_MAX, SHIPPED, Recording, RecordingError, read_recording
from runtime.settings import SHIPPED_FILL_AGE_MS

T = 1_767_657_600_000
HEAD = b"ts_ms,price\n"
TEXT = HEAD + b"1767657600000,93748.95\n1767657600250,93749.50\n1767657600250,93749\n1767657601000,93750.1\n"
READ = [(T, 9_374_895), (T + 250, 9_374_950), (T + 250, 9_374_900), (T + 1_000, 9_375_010)]


def read(tmp_path: Path, content: bytes) -> Recording:
    path = tmp_path / "some.csv"
    path.write_bytes(content)
    return read_recording(path)


def rows(found: Recording) -> list[tuple[int, int]]:
    return list(zip(found.times_ms, found.cents, strict=True))


def refusal(tmp_path: Path, content: bytes) -> str:
    """Return what is said of a file after its path."""
    with pytest.raises(RecordingError) as refused:
        read(tmp_path, content)
    path, _, said = str(refused.value).partition("some.csv")
    assert path == f"{tmp_path}/"
    assert "\n" not in said
    return said


def test_the_shipped_recording_is_an_hour_after_half_an_hour_without_pauses() -> None:
    found = read_recording(SHIPPED)
    gaps = [after - before for before, after in pairwise(found.times_ms)]
    assert len(found.times_ms) == 5_041
    assert found.round_ms >= 5_399_000
    # No tap is refused for want of a fresh price: less than the age at which a bet is filled on this recording.
    assert max(gaps) < SHIPPED_FILL_AGE_MS - 250
    # So many rounds do not carry the price away.
    assert abs(found.cents[-1] - found.cents[0]) < 1_000
    assert SHIPPED.stat().st_size < 100_000


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TEXT, id="as it should be"),
        pytest.param(b"\xef\xbb\xbf" + TEXT, id="byte order mark"),
        pytest.param(TEXT.replace(b"\n", b"\r\n"), id="lines of another system"),
        pytest.param(TEXT + b"\n", id="a blank line at the end"),
        pytest.param(TEXT + b"\r\n \n", id="several at the end"),
        pytest.param(TEXT.replace(b".50", b".50000000"), id="zeros behind the cents"),
        pytest.param(TEXT.replace(b"93750.1\n", b"93750.10"), id="no newline after a price with its cents"),
    ],
)
def test_what_is_harmless_is_read(tmp_path: Path, content: bytes) -> None:
    assert rows(read(tmp_path, content)) == READ


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", ":1: '': the first line must be ts_ms,price", id="empty"),
        pytest.param(b"time,price\n1,2\n", ":1: 'time,price': the first line must be ts_ms,price", id="other header"),
        pytest.param(TEXT[len(HEAD) :], ":1: '1767657600000,93748.95': the first line must be", id="no header"),
        pytest.param(b"\n" + TEXT, ":1: '': the first line must be", id="blank line before the header"),
        pytest.param(TEXT.replace(b",", b";"), ":1: 'ts_ms;price': the first line must be", id="semicolons"),
        pytest.param(TEXT.decode().encode("utf-16"), r":1: '\xff\xfet\x00s\x00", id="UTF-16"),
        pytest.param(b"\x00" * 100_000, ": a line has at most 200 characters", id="no text at all"),
        pytest.param(TEXT.replace(b"\n", b"\r"), ": the first line must be", id="lines of an old system"),
        pytest.param(HEAD + b"1" * 10**6, ":2: '" + "1" * 60 + "'...: a line has at most 200", id="endless line"),
        pytest.param(HEAD, ": a replay needs rows of different times", id="header alone"),
        pytest.param(HEAD.strip(), ": a replay needs rows of different times", id="header without its newline"),
        pytest.param(TEXT[:35], ": a replay needs rows of different times", id="one row"),
        pytest.param(TEXT[:35] + TEXT[12:35], ": a replay needs rows of different times", id="no span"),
        pytest.param(HEAD + b"1767657600000,1.00\n1767657600001,1.00\n", "at most one a millisecond", id="too dense"),
        pytest.param(TEXT[:35] + b"\n" + TEXT[35:], ":3: '': a line without a row may only be", id="blank line within"),
        pytest.param(TEXT + b"1767657600999,1.00\n", ":6: '1767657600999,1.00': times must not", id="back in time"),
        pytest.param(TEXT + TEXT[len(HEAD) :], ":6: '1767657600000,93748.95': times must not", id="twice"),
        pytest.param(TEXT + TEXT, ":6: 'ts_ms,price': ts_ms must be Unix milliseconds", id="twice with its header"),
        pytest.param(
            TEXT + b"2067657600000,1.00\n", "is 83333 hours after the row above; 24 are taken", id="years later"
        ),
    ],
)
def test_a_file_of_another_form_is_refused_by_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in refusal(tmp_path, content)


@pytest.mark.parametrize(
    ("time", "said"),
    [
        pytest.param("1767657602", "these are as many as seconds have", id="seconds"),
        pytest.param("1767657602000000", "these are as many as microseconds have", id="microseconds"),
        pytest.param("1767657602000000000", "these are as many as nanoseconds have", id="nanoseconds"),
        pytest.param("1767657602.5", "13 digits", id="seconds with a fraction"),
        pytest.param("2026-01-06T00:00:02Z", "13 digits", id="RFC 3339"),
        pytest.param("-176765760200", "13 digits", id="before 1970"),
        pytest.param("1.767657602e12", "13 digits", id="exponent"),
        pytest.param(" 1767657602000", "13 digits", id="blank"),
        pytest.param("1767657602_00", "13 digits", id="underscore"),
        pytest.param("", "13 digits", id="none"),
    ],
)
def test_other_times_than_milliseconds_are_refused(tmp_path: Path, time: str, said: str) -> None:
    told = refusal(tmp_path, TEXT + f"{time},93748.95\n".encode())
    assert told.startswith(f":6: '{time},93748.95': ts_ms must be Unix milliseconds, 13 digits")
    assert said in told


@pytest.mark.parametrize(
    "price",
    [
        *("0", "0.00", "-93748.95", "+93748.95", "NaN", "inf", "Infinity", "9.374895e4", "93_748.95", "$93748.95"),
        *("93748.955", "93748.", ".95", "", " 93748.95", "93748.95 ", "1000000000", "9" * 40, "0x16e34", "٩٣٧٤٨"),
    ],
)
def test_other_prices_than_dollars_and_cents_are_refused(tmp_path: Path, price: str) -> None:
    told = refusal(tmp_path, TEXT + f"1767657602000,{price}\n".encode())
    assert told.startswith(":6: '1767657602000,")
    assert "price must be US dollars above zero" in told


@pytest.mark.parametrize("row", ["1767657602000", "1767657602000;1.00", "1767657602000\t1.00", "1767657602000,1,2"])
def test_other_fields_than_two_are_refused(tmp_path: Path, row: str) -> None:
    told = refusal(tmp_path, TEXT + f"{row}\n".encode())
    assert told.endswith("must be ts_ms,price: two fields with one comma between them")
    assert told.startswith(":6: ")


@pytest.mark.parametrize("cut", range(1, len("1767657601000,93750.10") + 1))
def test_half_a_last_line_is_never_read_for_a_whole_one(tmp_path: Path, cut: int) -> None:
    whole = HEAD + b"".join(b"%d,93750.10\n" % (T + at) for at in range(0, 1_001, 250))
    content = whole[: -1 - cut]
    if content.endswith(b"\n"):
        assert len(read(tmp_path, content).cents) == 4
    else:
        assert "may be half a line" in refusal(tmp_path, content)


def test_usual_and_unusual_rows_read_alike(tmp_path: Path) -> None:
    """A block of usual rows is read at once, any other line by line."""
    random, at, lines, expected = Random(5), T, [], []
    for _ in range(20_000):
        at += random.randrange(40)
        cents = random.randrange(1, 10**7)
        lines.append(f"{at},{cents // 100}.{cents % 100:02d}\n")
        expected.append((at, cents))
    usual = read(tmp_path, HEAD + "".join(lines).encode())
    unusual = read(tmp_path, HEAD + "".join(lines).replace("\n", "000\n").encode())
    assert rows(usual) == rows(unusual) == expected


@pytest.mark.parametrize("tail", ["", "00"])
@pytest.mark.parametrize(
    ("time_ms", "price", "said"),
    [
        (T + 5_000_000, "0.00", "price must be"),
        (T + 4_999_000, "1.00", "times must not decrease"),
        (T + 5_000_001 + GAP_MS_MAX, "1.00", "24 hours after"),
    ],
)
def test_a_line_deep_in_a_file_is_named(tmp_path: Path, tail: str, time_ms: int, price: str, said: str) -> None:
    lines = [f"{T + 1_000 * at},93748.95{tail}\n" for at in range(10_000)]
    lines.insert(5_001, f"{time_ms},{price}{tail}\n")
    told = refusal(tmp_path, HEAD + "".join(lines).encode())
    assert told.startswith(f":5003: '{time_ms},{price}{tail}': ")
    assert said in told


def test_a_recording_that_would_fill_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "ROWS_MAX", 3)
    assert refusal(tmp_path, TEXT) == ": has more than 3 rows; cut it"
