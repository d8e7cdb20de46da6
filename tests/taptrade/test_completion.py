"""The shell completes commands and options, from the parsers that read them."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from taptrade.cli import COMMANDS, GROUPS, run

ASK = """
eval "$(taptrade completion bash)"
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMP_WORDS=($1) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_python_argcomplete taptrade
printf '%s\\n' "${COMPREPLY[@]}"
"""


class Reached(Exception):
    """A command reads its arguments."""


def completed(line: str) -> list[str]:
    """Return what bash is offered for a line that is typed so far."""
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    done = subprocess.run(
        ["bash", "-c", ASK, "bash", line], env={"PATH": path}, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.integration
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("taptrade recon", ["reconcile"]),
        ("taptrade explain --j", ["--json"]),
        ("taptrade serve wr", ["writer", "writer-2"]),
        ("taptrade nothing --", []),
    ],
)
def test_bash_is_offered_what_may_follow(line: str, offered: list[str]) -> None:
    assert completed(line) == offered


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_does_nothing_before_it_reads_its_arguments(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Else it would do so whenever somebody asks the shell what may follow.
    def reached(_parser: argparse.ArgumentParser, _arguments: Sequence[str] | None = None) -> NoReturn:
        raise Reached

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", reached)
    with pytest.raises(Reached):
        run(COMMANDS[name], ())


def test_every_command_is_in_one_group() -> None:
    names = [command.name for _, commands in GROUPS for command in commands]
    assert sorted(names) == sorted(COMMANDS)
