"""The command `taptrade`: a table of sub-commands, each imported only when it is called."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from runtime.errors import Refusal, TaptradeError
from runtime.settings import SettingsError
from taptrade.environment import leave_out_foreign
from taptrade.output import FAILED, give_up_output, prepare_output, say_failed, usage_told_as_json
from taptrade.own_files import UMASK


@dataclass(frozen=True, slots=True)
class Command:
    """One sub-command: its name, the `module:function` that runs it with its arguments, and a line of help."""

    name: str
    target: str
    help: str


GROUPS: tuple[tuple[str, tuple[Command, ...]], ...] = (
    (
        "run",
        (
            Command("up", "taptrade.up:main", "start every process here and stop them all with Ctrl-C"),
            Command("serve", "taptrade.serve:main", "run one process, for containers and process managers"),
            Command("alive", "taptrade.alive:main", "tell whether one process does its work, for health checks"),
            Command("migrate", "taptrade.housekeeping:migrate", "bring the databases to the newest schema"),
            Command("shards", "taptrade.shards:main", "list the ledgers of a house on PostgreSQL, or add one"),
        ),
    ),
    (
        "watch",
        (
            Command("status", "taptrade.status:main", "show the whole house on one screen, renewed until Ctrl-C"),
            Command("doctor", "taptrade.doctor:main", "check the machine and the installation, and say what to do"),
            Command(
                "trace", "taptrade.trace:main", "tell the story of one request, bet, job or commit, with its times"
            ),
            Command("feed", "taptrade.feed:main", "show how each source of prices does, or record what they say"),
            Command(
                "dashboard", "taptrade.dashboard:main", "print where the queues are shown, and the key that signs in"
            ),
        ),
    ),
    (
        "decide",
        (
            Command("breaker", "taptrade.breaker:main", "show the circuit breaker, or override it; its history"),
            Command("market", "taptrade.market:main", "show what each bucket of bets pays back, or open a closed one"),
            Command("deposit", "taptrade.operate:deposit", "credit money from outside, once per reference"),
            Command("withdrawal", "taptrade.withdrawal:main", "list what players want out; complete or reverse it"),
            Command("adjust", "taptrade.operate:adjust", "correct a balance by a new ledger entry"),
            Command("forget", "taptrade.forget:main", "make a player's personal data unreadable for ever"),
        ),
    ),
    (
        "prove",
        (
            Command("audit", "taptrade.audit:main", "recount balances, ledger, bets and payouts"),
            Command("reconcile", "taptrade.reconcile:main", "hold a payment processor's CSV against the ledger"),
            Command("explain", "taptrade.explain:main", "explain one bet, every part of it recomputed"),
            Command("dispute", "taptrade.dispute:main", "show an account's bets and entries of a span, adding up"),
            Command("export", "taptrade.export:main", "write down everything that is held about a player"),
            Command(
                "recompute", "taptrade.recompute:main", "decide the settled bets of a span anew; name what differs"
            ),
            Command(
                "calibrate", "taptrade.calibrate:main", "tell what rates return on recorded prices, or fit a model"
            ),
        ),
    ),
    (
        "keep",
        (
            Command("backup", "taptrade.backup:main", "make a checked copy of the live database now"),
            Command("restore", "taptrade.restore:main", "bring the databases back from the replica into a new folder"),
            Command("archive", "taptrade.archive:main", "list archived weeks, archive what is due, verify or restore"),
        ),
    ),
    (
        "play",
        (
            Command("player", "taptrade.player:main", "play: make a wallet, log in, tap cells, print what came of it"),
            Command("wallet", "taptrade.signing:wallet", "make a key file to play with curl, or print its address"),
            Command("sign-login", "taptrade.signing:sign_login", "print a signed login for POST /api/auth/login"),
            Command("sign-bet", "taptrade.signing:sign_bet", "print a signed tap for POST /api/bets"),
        ),
    ),
    (
        "build",
        (
            Command(
                "functions", "taptrade.functions:main", "list every function: what starts it, limits, times, errors"
            ),
            Command("new", "taptrade.new_function:main", "write a new function and its test, ready to run"),
            Command("invoke", "taptrade.invoke:main", "run one function without a server: JSON in, answer out"),
            Command("logs", "taptrade.logs:main", "print what a function has logged; -f waits for more"),
            Command("deploy", "taptrade.deploy:deploy", "put changed functions into service, without losing a request"),
            Command("rollback", "taptrade.deploy:rollback", "put the functions of before into service again"),
            Command(
                "versions", "taptrade.deploy:list_versions", "list the versions of the functions; which one serves"
            ),
            Command("webhooks", "taptrade.webhooks:main", "tell other programs of events; deliveries, replay"),
        ),
    ),
    (
        "about",
        (
            Command("config", "taptrade.housekeeping:config", "list every setting with its value, default and meaning"),
            Command("routes", "taptrade.housekeeping:routes", "list the HTTP endpoints"),
            Command("completion", "taptrade.completion:main", "print what makes bash, zsh or fish complete commands"),
            Command("version", "taptrade.housekeeping:version", "print the version"),
        ),
    ),
)
COMMANDS: dict[str, Command] = {command.name: command for _, commands in GROUPS for command in commands}


def usage() -> str:
    """Return the help of the command line as a whole."""
    lines = [
        "usage: taptrade COMMAND [OPTION ...]",
        "",
        "Tap trading backend: one tap on a price grid, placed once, paid right, explainable for ever.",
    ]
    for group, commands in GROUPS:
        lines += ["", f"{group}:", *(f"  {command.name:<12}{command.help}" for command in commands)]
    return "\n".join(
        [
            *lines,
            "",
            "`taptrade COMMAND --help` tells more, and with --json every command prints JSON.",
            "Settings come from the environment: see `taptrade config`.",
        ]
    )


def run(command: Command, arguments: Sequence[str]) -> int:
    """Import the command's module and run it; its return value is the exit status."""
    module_name, function_name = command.target.split(":")
    function = getattr(importlib.import_module(module_name), function_name)
    return int(function(list(arguments)) or 0)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sub-command that the arguments name; return the exit status, and say in a sentence why it cannot."""
    if "_ARGCOMPLETE" in os.environ:
        from taptrade.completion import complete  # which the shell alone asks for

        complete(COMMANDS, lambda name: run(COMMANDS[name], ()))
    arguments = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in arguments
    prepare_output(json=as_json)
    try:
        try:
            with usage_told_as_json() if as_json else nullcontext():
                return choose(arguments)
        finally:
            # What is still in the buffer may find nobody either.
            if sys.stdout is not None:
                sys.stdout.flush()
    except Refusal as ex:
        say_failed(ex.detail if as_json else str(ex), json=as_json, code=ex.code)
        return FAILED
    except (SettingsError, TaptradeError) as ex:
        say_failed(str(ex), json=as_json)
        return FAILED
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does.
        give_up_output()
        return 0
    except OSError as ex:
        give_up_output()
        say_failed(f"{ex.filename or 'cannot write'}: {ex.strerror or ex}", json=as_json)
        return FAILED
    except KeyboardInterrupt:
        return 130


def choose(arguments: list[str]) -> int:
    """Find the sub-command and run it."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        arguments[0] = "version"
    command = COMMANDS.get(arguments[0])
    if command is None:
        as_json = "--json" in arguments
        say_failed(f"no command {arguments[0]!r}" + ("" if as_json else f"\n\n{usage()}"), json=as_json)
        return FAILED
    leave_out_foreign(os.environ)
    # Every process of ours begins here, and what it starts inherits this.
    os.umask(UMASK)
    return run(command, arguments[1:])
