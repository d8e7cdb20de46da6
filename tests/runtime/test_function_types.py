"""A type that means nothing is named with file and line when its file is read, not by the request that meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.function_files import DiscoveryError
from runtime.triggers.discovery import triggers_in
from runtime.web.discovery import discover

ENDPOINT = '''"""POST /api/luck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple, TypedDict

import msgspec

from runtime.function import Body, Call, FunctionSettings, OwnRefusal, Query, Secret, function


class Plain:
    """What no JSON has."""


class Given(NamedTuple):
    day: int


class Seen(TypedDict):
    days: list[Given]


@dataclass
class Times:
    seen: Seen


class Base(msgspec.Struct):
    times: Times


class Told(Base):
    after: Later | None = None


class Asked(Query, frozen=True):
    since: int = 0


class Tap(Body, frozen=True):
    cell: str


class Own(FunctionSettings, frozen=True):
    key: Secret
    tries: int = 3


class OutOfLuck(OwnRefusal, code="OUT_OF_LUCK", status=409):
    """There is none left."""

    until_ms: int


@function(
    "POST",
    "/api/luck",
    auth="none",
    summary="Try it",
    body=Tap,
    query=Asked,
    response=Told,
    settings=Own,
    errors=(OutOfLuck,),
)
def luck(call: Call[Tap]) -> Told:
    """Try it."""
    raise OutOfLuck(until_ms=5)


class Later(msgspec.Struct):
    at: int
    again: Told | None = None
'''
TRIGGER = '''"""A queue."""

from __future__ import annotations

from runtime.triggers import FunctionSettings, Message, Run, on_queue


class Mail(Message, frozen=True):
    to: str


class Own(FunctionSettings, frozen=True):
    tries: int = 3


@on_queue("mails", body=Mail, settings=Own)
def mail(
    run: Run[Mail],
) -> None:
    """Send it."""
'''


def line_of(source: str, text: str) -> int:
    """Return the number of the line that holds a text."""
    return next(number for number, line in enumerate(source.splitlines(), 1) if text in line)


def test_types_that_are_declared_further_down_and_name_each_other_are_sound(tmp_path: Path) -> None:
    (tmp_path / "luck.py").write_text(ENDPOINT)
    [found] = discover(tmp_path)
    assert found.name == "luck"


@pytest.mark.parametrize(
    ("right", "wrong", "reason"),
    [
        ("since: int", "since: datetme", "the type of `since` in Asked cannot be read: name 'datetme' is not defined"),
        ("cell: str", "cell: sting", "the type of `cell` in Tap cannot be read: name 'sting' is not defined"),
        ("at: int", "at: itn", "the type of `at` in Later cannot be read: name 'itn' is not defined"),
        ("day: int", "day: dya", "the type of `day` in Given cannot be read: name 'dya' is not defined"),
        ("days: list[Given]", "days: list[Gvien]", "the type of `days` in Seen cannot be read: name 'Gvien' is not"),
        ("seen: Seen", "seen: Sene", "the type of `seen` in Times cannot be read: name 'Sene' is not defined"),
        ("times: Times", "times: Tiems", "the type of `times` in Base cannot be read: name 'Tiems' is not defined"),
        ("tries: int = 3", "tries: it = 3", "the type of `tries` in Own cannot be read: name 'it' is not defined"),
        ("until_ms: int", "until_ms: msec", "the type of `until_ms` in OutOfLuck cannot be read: name 'msec' is not"),
        ("until_ms: int", "until_ms: Plain", "the type of `until_ms` in OutOfLuck cannot be read: Generating JSON"),
        ("at: int", "at: Plain", "the type of `at` in Later cannot be read: Generating JSON schema for custom types"),
        ("at: int", "at: Annotated[str, msgspec.Meta(ge=1)]", "the type of `at` in Later cannot be read: Can only set"),
        ("luck(call: Call[Tap])", "luck(call: Cal[Tap])", "annotations of luck cannot be read: name 'Cal' is not"),
        ("-> Told:", "-> Tolled:", "the annotations of luck cannot be read: name 'Tolled' is not defined"),
        ("luck(call: Call[Tap])", "luck(call: Call[None])", "luck takes "),
        ("luck(call: Call[Tap])", "luck(call: Tap)", "luck must take a Call[...], not "),
    ],
)
def test_what_an_endpoint_names_is_resolved(tmp_path: Path, right: str, wrong: str, reason: str) -> None:
    source = ENDPOINT.replace(right, wrong)
    (tmp_path / "luck.py").write_text(source)
    with pytest.raises(DiscoveryError) as caught:
        discover(tmp_path)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path}/luck.py: line {line_of(source, wrong)}: ")
    assert reason in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("right", "wrong", "line", "reason"),
    [
        ("to: str", "to: srt", "to: srt", "the type of `to` in Mail cannot be read: name 'srt' is not defined"),
        ("tries: int", "tries: it", "tries: it", "the type of `tries` in Own cannot be read: name 'it' is not defined"),
        ("run: Run[Mail]", "run: Rum[None]", "Rum", "the annotations of mail cannot be read: name 'Rum' is not"),
        ("run: Run[Mail]", "run: Run[None]", "def mail", "mail must take the run and say what it returns: write (run:"),
    ],
)
def test_what_other_functions_name_is_resolved(tmp_path: Path, right: str, wrong: str, line: str, reason: str) -> None:
    source = TRIGGER.replace(right, wrong)
    (tmp_path / "mail.py").write_text(source)
    with pytest.raises(DiscoveryError) as caught:
        triggers_in(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/mail.py: line {line_of(source, line)}: {reason}")


def test_a_type_of_another_file_is_named_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path / "beside")
    (tmp_path / "beside").mkdir()
    other = tmp_path / "beside" / "luck_beside_it.py"
    other.write_text(
        "from __future__ import annotations\n\nimport msgspec\n\n\nclass Later(msgspec.Struct):\n    at: itn\n"
    )
    source, _, _ = ENDPOINT.partition("class Later")
    (tmp_path / "luck.py").write_text(
        source.replace("import msgspec\n", "import msgspec\nfrom luck_beside_it import Later\n")
    )
    with pytest.raises(DiscoveryError, match=r"luck_beside_it\.py: line 7: the type of `at` in Later cannot be read"):
        discover(tmp_path)
