"""Every command offers `--json`, and prints one JSON document with it: what it has found, or why it cannot."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from taptrade.cli import COMMANDS, main, run
from tests.taptrade.office import Office

OWN_PARSERS = {"calibrate": (("fit",),)}
"""What a command leaves to another parser by its first word."""
ELSEWHERE = {
    "up": "test_up.py runs it to its end",
    "serve": "its log is its output, and on a terminal only it is text: tests/runtime/test_log.py",
    "new": "test_new_function.py has a checkout to write into",
}
ID, HASH = "01M3250V00MQJACESPQ4RNKD8E", "0x" + 40 * "1"

# Every command on data that are fresh but for one player: its exit code (None: the machine's affair) and its arguments.
LINES: dict[str, tuple[int | None, str]] = {
    "version": (0, ""),
    "config": (0, ""),
    "routes": (0, ""),
    "completion": (0, "bash"),
    "migrate": (0, ""),
    "shards": (0, ""),
    "shards list": (0, ""),
    "shards add": (2, ""),
    "functions": (0, ""),
    "invoke": (0, "time"),
    "logs": (0, "time"),
    "versions": (0, ""),
    "deploy": (2, "{folder}/none"),
    "rollback": (2, ""),
    "webhooks list": (0, ""),
    "webhooks deliveries": (0, ""),
    "webhooks add": (2, "http://127.0.0.1/ column"),
    "webhooks remove": (2, ID),
    "webhooks replay": (2, ID),
    "alive": (1, "settler"),
    "status": (1, ""),
    "doctor": (None, ""),
    "trace": (1, ID),
    "feed status": (1, ""),
    "feed record": (2, "{folder}/days"),
    "dashboard": (1, ""),
    "breaker": (0, "open {who}"),
    "market": (0, ""),
    "market list": (0, "--all"),
    "market open": (1, "2-5x/1 {who}"),
    "deposit": (0, "{player} 100 --reference one {who}"),
    "adjust": (1, "{player} -100000 --reference one {who}"),
    "withdrawal list": (0, ""),
    "withdrawal complete": (1, ID + " --reference one {who}"),
    "withdrawal reverse": (1, ID + " --reference one {who}"),
    "forget": (1, "{player} {who}"),
    "audit": (0, ""),
    "reconcile": (0, "{folder}/payments.csv"),
    "explain": (2, ID),
    "dispute": (0, "{player}"),
    "export": (0, "{player}"),
    "recompute": (0, ""),
    "calibrate": (2, "{folder}/none.csv"),
    "calibrate fit": (2, "{folder}/none.csv --out {folder}/model.json --kind sim"),
    "backup": (0, ""),
    "restore": (2, "--to {folder}/restored"),
    "archive list": (0, ""),
    "archive run": (0, ""),
    "archive verify": (0, ""),
    "archive restore": (2, "2026_w01"),
    "wallet": (0, "new --key {folder}/key"),
    "sign-login": (0, "--key {folder}/key --domain example.com"),
    "sign-bet": (0, "--key {folder}/key --cell 1790000000_9200000_9200500 --min-rate 10000"),
    "player": (1, ""),
}


class Reached(Exception):
    """A command reads its arguments by this parser."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.parser = parser


def parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield every command, and of those that have actions every one of these, with the parser of its arguments."""

    def reached(parser: argparse.ArgumentParser, _arguments: Sequence[str] | None = None) -> NoReturn:
        raise Reached(parser)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", reached)
        for name, command in COMMANDS.items():
            for words in ((), *OWN_PARSERS.get(name, ())):
                with pytest.raises(Reached) as found:
                    run(command, words)
                yield from _below(" ".join((name, *words)), found.value.parser)


def _below(name: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    choices = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    if not choices or not choices[0].required:
        yield name, parser
    for one in choices:
        for action, its in one.choices.items():
            yield from _below(f"{name} {action}", its)


def test_every_command_offers_json() -> None:
    lacking = [name for name, parser in parsers() if "--json" not in parser._option_string_actions]
    assert lacking == []


@pytest.mark.integration
@pytest.mark.timeout(120)
def test_with_json_a_command_prints_one_document(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAPTRADE_PORT", "1")
    monkeypatch.setattr("taptrade.player.START_MS_MAX", 0)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "api.log").write_text('{"time":"","level":"INFO","function":"time","message":"well"}\n')
    (tmp_path / "payments.csv").write_text("reference,amount,time\none,100,2026-11-28T12:00:00Z\n")
    words = {"folder": tmp_path, "player": office.desk.player(cents=1_000), "who": "--who ann --why test"}
    assert {name for name, _ in parsers()} == LINES.keys() | ELSEWHERE.keys()
    wrong = {}
    for name, (code, line) in LINES.items():
        said = office.run(*name.split(), *line.format_map(words).split(), "--json")
        if fault := _fault(said.code, said.out, said.err, expected=code):
            wrong[name] = fault
    assert wrong == {}


def _fault(code: int, out: str, err: str, *, expected: int | None) -> str:
    """Say what is not as it should be: where nothing was found, the reason is the last line of stderr."""
    if expected not in (code, None):
        return f"exit code {code}, not {expected}: {out} {err}"
    try:
        if out:
            json.loads(out)
        elif code == 0 or json.loads(err.splitlines()[-1]).keys() != {"ok", "code", "detail"}:
            return f"no document: {err}"
    except (ValueError, IndexError):
        return f"no JSON: {out} {err}"
    return ""


@pytest.mark.parametrize(
    ("arguments", "detail"),
    [
        (["pay"], "no command 'pay'"),
        (["deposit", HASH], "the following arguments are required: AMOUNT_CENTS, --reference, --why"),
        (["explain", "x"], "argument BET_ID: 'x': is no id of a bet, which has 26 letters and digits"),
    ],
)
def test_wrong_arguments_are_told_as_json_too(
    arguments: list[str], detail: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main([*arguments, "--json"])
    except SystemExit as ended:
        code = int(ended.code or 0)
    said = capsys.readouterr()
    assert (code, said.out, json.loads(said.err)) == (2, "", {"ok": False, "code": None, "detail": detail})
    with pytest.raises(SystemExit):
        main(["explain"])
    assert capsys.readouterr().err.startswith("usage: taptrade explain")
