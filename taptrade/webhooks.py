"""`taptrade webhooks`: who is told of which events, what became of the deliveries, and sending them once more."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, get_args

import msgspec

from runtime.clock import Clock, SystemClock, rfc3339, rfc3339_if_any
from runtime.errors import TaptradeError
from runtime.settings import Settings, load
from runtime.storage.database import DatabaseUnsafe
from runtime.triggers.kinds import KINDS, kinds_meant
from runtime.webhooks.subscriptions import Sent, Status, Subscription, Webhooks, webhooks_in
from runtime.webhooks.targets import check_url, resolve
from taptrade.arguments import count
from taptrade.output import add_output
from taptrade.tables import show_table

LISTED_MAX = 1_000
COLUMNS = ("delivery", "event", "kind", "status", "attempts", "made", "answer", "answered or due")


class NoSuchWebhook(TaptradeError):
    """There is no such subscription or delivery."""


def main(argv: Sequence[str]) -> int:
    """Tell other programs of bets, settled columns and the breaker, by signed HTTP requests (Standard Webhooks)."""
    parser = argparse.ArgumentParser(prog="taptrade webhooks", description=main.__doc__)
    actions = parser.add_subparsers(dest="action", metavar="add|list|remove|deliveries|replay", required=True)
    adding = actions.add_parser("add", help="tell an address of events from now on; prints the secret, once")
    adding.add_argument("url", metavar="URL", help="https://, of a public address")
    adding.add_argument("events", nargs="+", metavar="EVENT", help=f"bet (all of them), {', '.join(sorted(KINDS))}")
    listing = actions.add_parser("list", help="list the subscriptions")
    removing = actions.add_parser("remove", help="tell an address no more")
    removing.add_argument("id", metavar="SUBSCRIPTION")
    showing = actions.add_parser("deliveries", help="list what was sent, the newest first")
    showing.add_argument("--of", metavar="SUBSCRIPTION", help="only those of one subscription")
    showing.add_argument("--status", choices=get_args(Status), help="only those that stand so")
    showing.add_argument("--limit", type=count(LISTED_MAX), default=50, help="how many (%(default)s)")
    replaying = actions.add_parser("replay", help="send a delivery once more, or all that a subscription has missed")
    replaying.add_argument("id", metavar="DELIVERY|SUBSCRIPTION")
    for each in (adding, listing, removing, showing, replaying):
        add_output(each)
    given = parser.parse_args(argv)
    settings, clock = load(), SystemClock()
    if not settings.functions_database.exists():
        raise DatabaseUnsafe(f"there is no database at {settings.functions_database}; start one with `taptrade up`")
    with webhooks_in(settings.functions_database) as webhooks:
        ACTIONS[given.action](webhooks, given, settings, clock)
    return 0


def _add(webhooks: Webhooks, given: argparse.Namespace, settings: Settings, clock: Clock) -> None:
    names = tuple(dict.fromkeys(given.events))
    unknown = [name for name in names if not kinds_meant((name,))]
    if unknown:
        raise NoSuchWebhook(f"{unknown[0]} is no event; there are bet, {', '.join(sorted(KINDS))}")
    private = settings.webhook_private_targets == "on"
    check_url(given.url, private=private)
    resolve(given.url, private=private)
    made = webhooks.subscribe(given.url, names, clock.now_ms())
    if given.json:
        print(msgspec.json.encode({**_view(made), "secret": made.secret}).decode())
        return
    print(f"{made.id} is told of {', '.join(names)} from now on")
    print(f"secret (shown only here): {made.secret}")


def _list(webhooks: Webhooks, given: argparse.Namespace, _settings: Settings, _clock: Clock) -> None:
    found = webhooks.subscriptions()
    if given.json:
        print(msgspec.json.encode([_view(one) for one in found]).decode())
        return
    rows = [(one.id, one.url, " ".join(one.names), rfc3339(one.created_ms)) for one in found]
    show_table(("subscription", "url", "events", "since"), rows)


def _view(one: Subscription) -> dict[str, Any]:
    return {"id": one.id, "url": one.url, "events": one.names, "created_ms": one.created_ms}


def _remove(webhooks: Webhooks, given: argparse.Namespace, _settings: Settings, clock: Clock) -> None:
    if not webhooks.unsubscribe(given.id, clock.now_ms()):
        raise NoSuchWebhook(f"there is no subscription {given.id}")
    _tell(given, f"{given.id} is told of nothing any more", removed=given.id)


def _deliveries(webhooks: Webhooks, given: argparse.Namespace, _settings: Settings, _clock: Clock) -> None:
    found = webhooks.deliveries(given.of, given.status, given.limit)
    if given.json:
        print(msgspec.json.encode(found).decode())
        return
    show_table(COLUMNS, [_cells(one) for one in found], right=("attempts",))


def _cells(one: Sent) -> tuple[Any, ...]:
    when = rfc3339(one.due_ms) if one.status == "waiting" else rfc3339_if_any(one.answered_ms)
    made = rfc3339(one.created_ms)
    return one.id, one.event_id, one.kind, one.status, one.attempts, made, one.answer, when


def _replay(webhooks: Webhooks, given: argparse.Namespace, _settings: Settings, clock: Clock) -> None:
    now_ms = clock.now_ms()
    if webhooks.replay(given.id, now_ms):
        _tell(given, f"{given.id} is sent once more", replayed=1)
    elif given.id in {one.id for one in webhooks.subscriptions()}:
        replayed = webhooks.replay_given_up(given.id, now_ms)
        _tell(given, f"{replayed} deliveries are sent once more", replayed=replayed)
    else:
        raise NoSuchWebhook(f"there is no delivery or subscription {given.id} that is told of anything")


def _tell(given: argparse.Namespace, sentence: str, **facts: object) -> None:
    print(msgspec.json.encode(facts).decode() if given.json else sentence)


ACTIONS = {"add": _add, "list": _list, "remove": _remove, "deliveries": _deliveries, "replay": _replay}
