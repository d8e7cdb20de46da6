"""`taptrade invoke NAME`: run one function without a server, on a throw-away house or on the present data."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from runtime.clock import SystemClock
from runtime.errors import TaptradeError
from runtime.settings import load
from runtime.web.declaration import Function
from runtime.web.described import route_of
from taptrade.books import find_account
from taptrade.output import add_output, print_json
from taptrade.trial_house import throw_away
from taptrade.trial_stage import Stage, open_stage

REFUSED_FROM = 400


class CannotInvoke(TaptradeError):
    """A function cannot be run so."""


def main(argv: Sequence[str]) -> int:
    """Run a function once: JSON in, its answer out, without a server.

    It runs on a throw-away house: an empty database and Redis, a price that does not move, and a writer that works at
    once. With --present it reads the databases of the data folder, and nothing is written to them. An endpoint that
    wants a session is called by a new account with play money. The exit status is 1 where the answer is a refusal.
    """
    parser = argparse.ArgumentParser(prog="taptrade invoke", description=main.__doc__)
    parser.add_argument("name", metavar="NAME", help="a function as `taptrade functions` names it")
    parser.add_argument("--data", metavar="JSON", help="its body, message or event; `-` reads standard input")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="a field of the route")
    parser.add_argument("--query", default="", metavar="A=B&C=D", help="query parameters")
    parser.add_argument("--as", dest="account", metavar="ACCOUNT", help="with --present: as this wallet or user id")
    parser.add_argument("--present", action="store_true", help="read the present data instead of a throw-away house")
    parser.add_argument(
        "--setting",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting that is the function's own, instead of those of the file",
    )
    add_output(parser, "print one JSON document, with the answer's status (null where no request starts the function)")
    given = parser.parse_args(argv)
    if given.account and not given.present:
        parser.error("--as names an account of the present data: say --present too")
    body = _body(given.data)
    with (
        throw_away(load(), present=given.present) as settings,
        open_stage(settings, SystemClock(), writes=not given.present) as stage,
    ):
        _give(stage, given.name, given.setting)
        endpoint = next((one for one in stage.endpoints if one.name == given.name), None)
        if endpoint is None:
            answer = stage.run(given.name, body)
            if given.json:
                print_json({"status": None, "answer": answer})
            else:
                print(_text(answer))
            return 0
        return _call(stage, endpoint, body, given)


def _give(stage: Stage[SystemClock], name: str, pairs: Sequence[str]) -> None:
    if not pairs:
        stage.give_present(name)
        return
    try:
        stage.give(name, **dict(pair.partition("=")[::2] for pair in pairs))
    except ValueError as ex:
        raise CannotInvoke(f"{name} {ex}") from ex


def _body(text: str | None) -> Any:
    given = sys.stdin.read() if text == "-" else text
    try:
        return None if given is None or not given.strip() else msgspec.json.decode(given)
    except msgspec.DecodeError as ex:
        raise CannotInvoke(f"--data is no JSON: {ex}") from ex


def _call(stage: Stage[SystemClock], endpoint: Function, body: Any, given: argparse.Namespace) -> int:
    if endpoint.media == "text/event-stream":
        raise CannotInvoke(f"{endpoint.name} does not end; run the house and follow it with curl -N")
    headers = _headers(stage, endpoint, given)
    result = stage.call(
        endpoint.method, _path(endpoint.route, given.set), body, headers=headers, query_string=given.query
    )
    is_json = "json" in result.headers.get("content-type", "")
    if given.json:
        print_json({"status": result.status_code, "answer": result.json if is_json else result.text})
    else:
        print(f"{result.status}", file=sys.stderr)
        print(_text(result.json) if is_json else result.text)
    return 1 if result.status_code >= REFUSED_FROM else 0


def _headers(stage: Stage[SystemClock], endpoint: Function, given: argparse.Namespace) -> dict[str, str]:
    """Return the header fields of a session, where one is wanted: of a new account, or of one of the present data."""
    if endpoint.auth == "operator":
        if given.present:
            raise CannotInvoke(f"{endpoint.name} is for operators, who sign in with a wallet at the house itself")
        return stage.operate()
    if given.account:
        return stage.session_of(find_account(stage.bench.database, given.account))
    if endpoint.auth != "session":
        return {}
    if given.present:
        raise CannotInvoke(f"{endpoint.name} wants a session: say --as WALLET or --as USER_ID")
    return stage.sign_in()


def _path(route: str, fields: Sequence[str]) -> str:
    """Fill the fields of a route: `/api/bets/{bet_id}` by `bet_id=...`."""
    try:
        return route_of(route).format_map(dict(field.partition("=")[::2] for field in fields))
    except KeyError as ex:
        raise CannotInvoke(f"the route {route} has a field: say --set {ex.args[0]}=VALUE") from ex


def _text(answer: Any) -> str:
    encoded = msgspec.json.encode(answer, enc_hook=str)
    return msgspec.json.format(encoded, indent=2).decode()
