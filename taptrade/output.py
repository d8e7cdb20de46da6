"""How output is written: JSON for programs, what the terminal cannot show, and what nobody takes any more."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import NoReturn

import msgspec

FAILED = 2
"""The exit code of a command that could not be done at all."""


def prepare_output(*, json: bool) -> None:
    """Let what the terminal's encoding lacks be shown escaped; JSON is UTF-8 wherever it goes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if json and isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


def give_up_output() -> None:
    """Let what is left of the output vanish; the interpreter would fail at it once more when it ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def add_output(parser: ArgumentParser, help_text: str = "print one JSON document") -> None:
    """Add the choice between people and programs."""
    parser.add_argument("--json", action="store_true", help=help_text)


def print_json(value: object) -> None:
    """Print one JSON document on a line of its own, at once: of followed output the reader sees each as it comes."""
    print(msgspec.json.encode(value, enc_hook=str).decode(), flush=True)


def say_event(event: str, sentence: str, *, as_json: bool, **facts: object) -> None:
    """Say what becomes of a run: to people a sentence, to programs an event with its facts."""
    if as_json:
        print_json({"event": event, **facts})
    else:
        print(f"taptrade: {sentence}", flush=True)


def say_failed(detail: str, *, json: bool, code: str | None = None, command: str = "") -> None:
    """Say on stderr why a command was not done: `{"ok": false, "code", "detail"}` where JSON was asked for."""
    told = msgspec.json.encode({"ok": False, "code": code, "detail": detail}).decode()
    print(told if json else f"{f'taptrade {command}'.strip()}: {detail}", file=sys.stderr)


@contextmanager
def usage_told_as_json() -> Iterator[None]:
    """Let wrong arguments within the block be told as other failures are, without the usage above them."""

    def error(self: ArgumentParser, message: str) -> NoReturn:  # noqa: ARG001  argparse calls it as its own
        say_failed(message, json=True)
        raise SystemExit(FAILED)

    kept = ArgumentParser.error
    ArgumentParser.error = error  # type: ignore[method-assign]
    try:
        yield
    finally:
        ArgumentParser.error = kept  # type: ignore[method-assign]
