"""`taptrade wallet new`, `sign-login`, `sign-bet`: keys in files and signed JSON bodies, to play with curl."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import msgspec

from runtime.clock import SystemClock
from runtime.setting_forms import whole
from taptrade import wallet as wallets
from taptrade.arguments import cell, count, typed
from taptrade.choice import Offer, offers
from taptrade.client import ApiError, TapClient
from taptrade.output import add_output, say_failed
from taptrade.player import STAKE_MAX, add_audience_arguments, audience_of
from taptrade.running import is_told
from taptrade.wallet import WalletError

OPEN_FOR_MS = 3_000
"""A person's bet needs longer from the signature to the server than a program's."""
ALWAYS = "print JSON, as it does without"


def wallet(arguments: Sequence[str]) -> int:
    """Make a key file, or print the address of one."""
    parser = argparse.ArgumentParser(prog="taptrade wallet", description="Keys in files of mode 0600.")
    parser.add_argument("action", choices=["new", "show"], help="new: make a key; show: print its address")
    parser.add_argument("--key", type=Path, required=True, help="the key's file")
    add_output(parser)
    args = parser.parse_args(arguments)
    return _guarded("wallet", args, _wallet)


def sign_login(arguments: Sequence[str]) -> int:
    """Print the body of POST /api/auth/login."""
    parser = argparse.ArgumentParser(prog="taptrade sign-login", description="Sign in with Ethereum: a JSON body.")
    parser.add_argument("--key", type=Path, required=True, help="the wallet's key file")
    parser.add_argument("--session-key", type=Path, help="key file of a session key that may place bets from then on")
    add_audience_arguments(parser)
    add_output(parser, ALWAYS)
    args = parser.parse_args(arguments)
    return _guarded("sign-login", args, _login)


def sign_bet(arguments: Sequence[str]) -> int:
    """Print the body of POST /api/bets."""
    parser = argparse.ArgumentParser(prog="taptrade sign-bet", description="Sign a tap on a cell: a JSON body.")
    parser.add_argument("--key", type=Path, required=True, help="key file of the wallet, or of its session key")
    parser.add_argument("--cell", type=cell, help="cell id (default: one that the grid offers now)")
    parser.add_argument("--amount", type=count(STAKE_MAX), default=100, help="stake in cents (default 100)")
    parser.add_argument(
        "--min-rate", type=typed(whole(0, 10**9)), help="least rate in basis points (default: the one shown less 3 %%)"
    )
    add_audience_arguments(parser)
    add_output(parser, ALWAYS)
    args = parser.parse_args(arguments)
    return _guarded("sign-bet", args, _bet)


def _guarded(name: str, args: argparse.Namespace, command: Callable[[argparse.Namespace], str]) -> int:
    """Print what the command returns, or say in a sentence why it cannot."""
    try:
        print(command(args))
    except httpx.TransportError as ex:
        say_failed(f"the API does not answer ({ex}); `make run` starts it", json=args.json, command=name)
        return 1
    except ApiError as ex:
        say_failed(str(ex), json=args.json, command=name, code=ex.code)
        return 1
    except (WalletError, LookupError) as ex:
        said = str(ex.args[0] if isinstance(ex, LookupError) else ex)
        say_failed(said, json=args.json, command=name)
        return 1
    return 0


def _wallet(args: argparse.Namespace) -> str:
    if args.action == "show":
        known = wallets.load(args.key)
    else:
        known = wallets.new_wallet()
        wallets.save(known, args.key)
    if args.json:
        return msgspec.json.encode({"address": known.address, "key": str(args.key)}).decode()
    return known.address


def _login(args: argparse.Namespace) -> str:
    _, audience = audience_of(args, must_run=not args.domain and not is_told("DOMAIN"))
    session_key = None if args.session_key is None else wallets.load(args.session_key).address
    signed = wallets.sign_login(wallets.load(args.key), session_key, audience, SystemClock().now_ms())
    return msgspec.json.encode(signed).decode()


def _bet(args: argparse.Namespace) -> str:
    cell_id, min_rate_bp = args.cell, args.min_rate
    unseen = cell_id is not None and min_rate_bp is not None
    url, audience = audience_of(args, must_run=not unseen)
    signer = wallets.load(args.key)
    if not unseen:
        with TapClient(url) as client:
            offer = _offer(client, cell_id)
        cell_id, min_rate_bp = offer.cell_id, min_rate_bp or offer.min_rate_bp
    signed = wallets.sign_bet(
        signer,
        cell_id,
        amount_cents=args.amount,
        min_rate_bp=min_rate_bp,
        chain_id=audience.chain_id,
        now_ms=SystemClock().now_ms(),
    )
    return msgspec.json.encode(signed).decode()


def _offer(client: TapClient, cell_id: str | None) -> Offer:
    """Find the cell in the present grid, or choose one that stays open for a while."""
    grid = client.grid()
    if cell_id is not None:
        for offer in offers(grid, grid.server_time_ms, columns=len(grid.columns)):
            if offer.cell_id == cell_id:
                return offer
        raise LookupError(f"the grid does not offer {cell_id} now; with --min-rate it is signed unseen")
    found = offers(grid, grid.server_time_ms + OPEN_FOR_MS, columns=1)
    if not found:
        raise LookupError("the grid offers no cell right now; try again in a moment")
    return secrets.choice(found)
