"""`taptrade completion`: commands and their options completed by the shell, from the parsers that read them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Collection, Sequence
from typing import NoReturn

import argcomplete
from argcomplete.lexers import split_line
from argcomplete.shell_integration import shellcode

from taptrade.output import add_output, print_json

PROGRAM = "taptrade"
WHERE = {
    "bash": '`eval "$(taptrade completion bash)"` in ~/.bashrc',
    "zsh": '`eval "$(taptrade completion zsh)"` in ~/.zshrc, after compinit',
    "fish": "`taptrade completion fish | source` in ~/.config/fish/config.fish",
}


def main(argv: Sequence[str]) -> int:
    """Print what makes a shell complete `taptrade`, its commands and their options."""
    epilog = "\n".join(f"{shell:<6}{where}" for shell, where in WHERE.items())
    kept = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="taptrade completion", description=main.__doc__, epilog=epilog, formatter_class=kept
    )
    parser.add_argument("shell", choices=tuple(WHERE))
    add_output(parser)
    given = parser.parse_args(argv)
    script = shellcode([PROGRAM], True, given.shell)
    if given.json:
        print_json({"shell": given.shell, "script": script})
    else:
        print(script)
    return 0


def complete(commands: Collection[str], run: Callable[[str], int]) -> NoReturn:
    """Answer the shell, which asks by environment variables, and end.

    Which command is meant is known by the first word; what may follow only that command's own parser knows, which it
    makes when it runs. So it runs up to the moment in which it would read its arguments.
    """
    line, point = os.environ["COMP_LINE"], int(os.environ["COMP_POINT"])
    _, _, _, before, _ = split_line(line, point)
    if len(before) > 1:
        # The words from the second on are what the command's parser reads.
        os.environ["_ARGCOMPLETE"] = "2"
        argparse.ArgumentParser.parse_args = _answer  # type: ignore[method-assign,assignment]
        if before[1] in commands:
            run(before[1])
        raise SystemExit(1)
    parser = argparse.ArgumentParser(prog=PROGRAM, add_help=False)
    parser.add_argument("command", choices=sorted(commands))
    _answer(parser)


def _answer(parser: argparse.ArgumentParser, *_: object) -> NoReturn:
    argcomplete.autocomplete(parser, always_complete_options="long")
    raise SystemExit(1)
