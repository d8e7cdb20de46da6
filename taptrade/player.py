"""`taptrade player`: play a game with a throw-away wallet, and recount the statement to the cent at the end."""

from __future__ import annotations

import argparse
import secrets
import socket
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from threading import Event as Flag
from typing import Any
from urllib.parse import urlsplit

import httpx

from runtime import settings as configuration
from runtime.clock import Clock, SystemClock
from runtime.hosts import shown_host
from runtime.settings import SettingsError
from runtime.settings_table import CHAIN_ID_MAX
from taptrade import running
from taptrade.arguments import api_url, count, typed
from taptrade.board import board, dollars
from taptrade.client import ApiError, TapClient
from taptrade.delivery import Delivery, PlayError
from taptrade.listening import url_of
from taptrade.output import print_json, say_failed
from taptrade.play import Plan, Play
from taptrade.record import Record
from taptrade.statement import Totals, faults, totals
from taptrade.views import BetView
from taptrade.wallet import Audience

START_MS_MAX = 60_000
ASK_EVERY_S = 0.5
BETS_MAX, STAKE_MAX = 10**6, 10**13


def main(arguments: Sequence[str]) -> int:
    """Play, and return 0 only if every bet is settled and every cent is where it belongs."""
    args = _parser().parse_args(arguments)
    url, audience = audience_of(args)
    seed = secrets.randbelow(10**6) if args.seed is None else args.seed
    try:
        _play(url, Plan(args.bets, args.stake, audience, seed), args)
    except (PlayError, ApiError) as ex:
        say_failed(str(ex), json=args.json, command="player", code=getattr(ex, "code", None))
        return 1
    except KeyboardInterrupt:
        say_failed("stopped; the house settles the open bets all the same", json=args.json, command="player")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="taptrade player", description=__doc__)
    parser.add_argument("--bets", type=count(BETS_MAX), default=20, help="bets to place (default 20)")
    parser.add_argument("--stake", type=count(STAKE_MAX), default=100, help="stake of each in cents (default 100)")
    parser.add_argument("--seed", type=int, help="seed of the choice of cells (default: another one each time)")
    add_audience_arguments(parser)
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--quiet", action="store_true", help="print the summary only")
    shown.add_argument("--plain", action="store_true", help="print lines, no table, on a terminal too")
    shown.add_argument("--json", action="store_true", help="print the summary only, as one JSON document")
    return parser


def add_audience_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe where the API is and what its logins are signed for."""
    parser.add_argument(
        "--url", type=api_url, help="the API (default: at TAPTRADE_PORT, else the run of TAPTRADE_DATA)"
    )
    parser.add_argument(
        "--domain",
        type=typed(shown_host),
        help="domain to sign logins for (default: TAPTRADE_DOMAIN, or that of the API)",
    )
    parser.add_argument(
        "--chain-id", type=count(CHAIN_ID_MAX), help="chain id to sign for (default: TAPTRADE_CHAIN_ID, or the API's)"
    )


def audience_of(args: argparse.Namespace, *, must_run: bool = True) -> tuple[str, Audience]:
    """Return the API's address and what is signed for it: the arguments, else the environment, else the run here.

    Raise SettingsError where nothing tells and nothing runs, unless `must_run` is false.
    """
    settings = configuration.load()
    run = None if args.url else running.find_unless_told(settings)
    if run is not None:
        url = run.url
    else:
        url = (args.url or url_of(settings.host, settings.port)).rstrip("/")
        if must_run and not args.url and not running.is_told("PORT") and not _listens(url):
            raise SettingsError(
                f"nothing runs in {settings.data}; `make run` starts it, --url or TAPTRADE_PORT tells of another run"
            )
    known = settings.domain if run is None or running.is_told("DOMAIN") else run.domain
    chain_id = settings.chain_id if run is None or running.is_told("CHAIN_ID") else run.chain_id
    by_url = args.url and not running.is_told("DOMAIN")
    chosen = args.domain or (shown_host(urlsplit(url).netloc.rpartition("@")[2]) if by_url else known)
    return url, Audience(chosen, f"{urlsplit(url).scheme}://{chosen}", args.chain_id or chain_id)


def _listens(url: str) -> bool:
    address = urlsplit(url)
    try:
        socket.create_connection((address.hostname or "", address.port or 80), timeout=1).close()
    except OSError:
        return False
    return True


def _play(url: str, plan: Plan, args: argparse.Namespace) -> None:
    clock = SystemClock()
    with TapClient(url) as client:
        wait_until_healthy(client, clock, Flag().wait)
        with board(quiet=args.quiet or args.json, plain=args.plain) as shown:
            play = Play(client, plan, clock, shown)
            shown.say(f"player {play.wallet.address}, a throw-away wallet; cells chosen by seed {plan.seed}")
            play.run()
        _settle_up(play, as_json=args.json)


def wait_until_healthy(client: TapClient, clock: Clock, pause: Callable[[float], object]) -> None:
    """Wait until the system is well; raise PlayError that says what is missing after a minute."""
    give_up_ms = clock.monotonic_ms() + START_MS_MAX
    told = False
    while True:
        try:
            if client.healthy():
                return
            reason = f"{client.url} is not well"
        except httpx.TransportError as ex:
            reason = f"nothing listens at {client.url}; `make run` starts it"
            if "certificate" in str(ex):
                reason = f"{client.url}: {ex}; SSL_CERT_FILE names whom to trust"
        except ApiError as ex:
            reason = f"{client.url} is not well: {_unwell(ex)}"
        if clock.monotonic_ms() > give_up_ms:
            raise PlayError(f"{reason} (waited {START_MS_MAX // 1000} s)")
        if not told:
            print(f"waiting for the API: {reason}", file=sys.stderr, flush=True)
            told = True
        pause(ASK_EVERY_S)


def _unwell(ex: ApiError) -> str:
    """Name the parts that the system itself finds wanting."""
    checks = ex.arguments.get("checks")
    if not isinstance(checks, dict):
        return str(ex)
    return ", ".join(name for name, check in checks.items() if not check.get("ok")) or str(ex)


def _settle_up(play: Play, *, as_json: bool) -> None:
    """Fetch the statement, print it, and raise PlayError unless it adds up."""
    entries = play.line.ask(lambda client: list(client.statement()))[::-1]
    bets = play.line.ask(lambda client: list(client.all_bets()))
    balance_cents = play.line.ask(lambda client: client.me()).user.balance
    if not as_json:
        _print_statement(totals(entries), play)
    found = faults(entries, bets, opening_cents=play.opening_cents, balance_cents=balance_cents, told=play.record.told)
    found += _own_faults(play, {bet.id: bet for bet in bets})
    if found:
        raise PlayError("the statement does not add up:\n  " + "\n  ".join(found))
    results = [tap.bet.status for tap in play.record.taps.values()]
    if as_json:
        print_json(_summed_up(play, totals(entries), Counter(results)))
        return
    counts = ", ".join(f"{results.count(status)} {status}" for status in ("won", "lost", "void"))
    print(f"{len(results)} bets settled: {counts}; the statement adds up to the cent.")


def _own_faults(play: Play, listed: dict[str, BetView]) -> list[str]:
    """Compare the list of bets with what this player has seen and signed."""
    found = []
    for tap in play.record.taps.values():
        bet = listed.get(tap.bet.id)
        if bet is None or (bet.status, bet.cell_id, bet.amount) != (tap.bet.status, tap.offer.cell_id, tap.bet.amount):
            found.append(f"bet {tap.bet.id} was {tap.bet.status}, the list of bets has {bet}")
        elif (bet.reward_rate or 0) < tap.offer.min_rate_bp:
            found.append(f"bet {bet.id} was filled at {bet.reward_rate}, below its floor {tap.offer.min_rate_bp}")
    return found


def _print_statement(sums: Totals, play: Play) -> None:
    print(f"statement of {play.wallet.address}: {sums.entries} entries")
    for name in ("opening", "stakes", "payouts", "refunds", "balance"):
        print(f"  {name:<8} {dollars(getattr(sums, name)):>14}")
    print(summary(play.record, play.delivery))


def _summed_up(play: Play, sums: Totals, results: Counter[str]) -> dict[str, Any]:
    """Return what a quiet game prints, for programs; amounts are cents."""
    record, delivery = play.record, play.delivery
    return {
        "ok": True,
        "wallet": play.wallet.address,
        "bets": dict(results),
        "statement": asdict(sums),
        "told_by_stream": len(record.streamed & record.taps.keys()),
        "refusals": dict(Counter(record.refusals) + delivery.refusals),
        "repeats": delivery.repeats,
    }


def summary(record: Record, delivery: Delivery) -> str:
    """Say in a line how the results came, what was refused, and how often an answer was lost."""
    streamed = len(record.streamed & record.taps.keys())
    refusals = Counter(record.refusals) + delivery.refusals
    codes = ", ".join(f"{count} {code}" for code, count in refusals.most_common())
    return (
        f"told by the stream: {streamed} of {len(record.taps)} results; refusals: {refusals.total()}"
        f"{f' ({codes})' if codes else ''}; repeats of a lost answer: {delivery.repeats}"
    )
