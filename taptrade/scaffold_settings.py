"""What `taptrade new --setting` and `--secret` add to a scaffold: the settings, their declaration, use and test."""

from __future__ import annotations

import keyword
import re
import tomllib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from taptrade.scaffolds import Scaffold

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
LOGGER = "logger = logging.getLogger(__name__)\n"
FIRST_OF_OURS = re.compile(r"^from (functions|runtime|taptrade)\.", re.MULTILINE)
IMPORTED = re.compile(r"^from (runtime\.function|runtime\.triggers) import (.*)$", re.MULTILINE)
HANDLER = re.compile(r'^def NAME\((call|run): .*\n    """.*"""\n', re.MULTILINE)
FIXTURE = """

@pytest.fixture(autouse=True)
def _given(trial: Trial) -> None:
    trial.give("NAME", %s)
"""


class OwnSetting(NamedTuple):
    """A setting of the function: its type, the default as Python writes it, and a value to try it with."""

    name: str
    type: str
    default: str
    tried: str

    @property
    def is_required(self) -> bool:
        """Whether a house does not start without it."""
        return not self.default


def own_settings(settings: Iterable[str], secrets: Iterable[str]) -> list[OwnSetting]:
    """Read `NAME` and `NAME=VALUE`, secrets by their names, those without a default first; raise ValueError."""
    found = [OwnSetting(name, "Secret", "", "'a secret'") for name in secrets] + [_setting(one) for one in settings]
    for number, one in enumerate(found):
        if NAME.fullmatch(one.name) is None or keyword.iskeyword(one.name):
            raise ValueError(f"{one.name!r} is no name for a setting: small letters, digits and underscores")
        if any(one.name == other.name for other in found[:number]):
            raise ValueError(f"the setting {one.name} is named twice")
    return sorted(found, key=lambda one: not one.is_required)


def _setting(text: str) -> OwnSetting:
    name, given, written = text.partition("=")
    if not given:
        return OwnSetting(name, "str", "", "'a text'")
    try:
        value = tomllib.loads(f"value = {written}")["value"]
    except tomllib.TOMLDecodeError:
        value = written
    if type(value) not in (bool, int, float, str):
        raise ValueError(f"the setting {name} is {written}: a text, a number, true or false is meant")
    return OwnSetting(name, type(value).__name__, repr(value), repr(value))


def with_settings(scaffold: Scaffold, settings: Sequence[OwnSetting]) -> Scaffold:
    """Let a scaffold declare settings, log them, secrets as stars, and be given them in its test."""
    if not settings:
        return scaffold
    given = ", ".join(f"{one.name}={one.tried}" for one in settings)
    test = FIRST_OF_OURS.sub(r"import pytest\n\n\g<0>", scaffold.test, count=1)
    test = test.replace("import Trial\n", "import Trial\n" + FIXTURE % given, 1)
    return Scaffold(_declaring(scaffold.function, settings), test, scaffold.data)


def _declaring(text: str, settings: Sequence[OwnSetting]) -> str:
    used = {"FunctionSettings"} | {one.type for one in settings if one.type == "Secret"}
    fields = "".join(f"    {one.name}: {one.type}{one.default and f' = {one.default}'}\n" for one in settings)
    shown, values = (
        ", ".join(f"{one.name}=%s" for one in settings),
        ", ".join(f"own.{one.name}" for one in settings),
    )
    text = IMPORTED.sub(lambda line: f"from {line[1]} import {_sorted({*line[2].split(', '), *used})}", text)
    about = "What is given in the table [NAME] of function_settings.toml."
    text = text.replace(
        LOGGER, f'{LOGGER}\n\nclass CLASSSettings(FunctionSettings, frozen=True):\n    """{about}"""\n\n{fields}', 1
    )
    text = text.replace("    response=CLASS,\n", "    response=CLASS,\n    settings=CLASSSettings,\n")
    text = text.replace(", timeout_s=", ", settings=CLASSSettings, timeout_s=")
    taken = f'\\g<0>    own = \\1.own_settings(CLASSSettings)\n    logger.info("given: {shown}", {values})\n'
    return HANDLER.sub(taken, text)


def _sorted(names: Iterable[str]) -> str:
    return ", ".join(sorted(names, key=lambda name: (name[0].islower(), name)))
