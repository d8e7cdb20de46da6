"""Ask the writer for one thing on an operator's word, and tell what came of it."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from contextlib import suppress
from typing import Any

import msgspec

from runtime.clock import SystemClock
from runtime.errors import TaptradeError
from runtime.messaging import redis_keys
from runtime.messaging.commands import AnyCommand, Outcome
from runtime.messaging.connection import OUTAGES, RedisError, connect, was_never_sent
from runtime.messaging.queues import ask, new_id
from runtime.operating.words import REFERENCE_MAX, WHO_MAX, WHY_MAX, is_said
from runtime.settings import Settings
from taptrade import embedded_redis
from taptrade.arguments import said, seconds
from taptrade.output import add_output, give_up_output

WAIT_S = 10.0
OPERATOR_TTL_MS = 600_000
DONE, REFUSED, UNKNOWN = 0, 1, 3


class NotAsked(TaptradeError):
    """The writer was not asked, so nothing was done."""


def add_authority(parser: argparse.ArgumentParser, reference: str) -> None:
    """Add the arguments without which no money moves: who, why, and a reference that makes it happen once."""
    parser.add_argument("--reference", required=True, type=said(REFERENCE_MAX), help=reference)
    add_who(parser)
    parser.add_argument("--why", required=True, type=said(WHY_MAX), help="why; kept with the entry for ever")
    add_output(parser)
    parser.add_argument(
        "--wait", type=seconds, default=WAIT_S, metavar="SECONDS", help="longest wait for the commit (%(default)s)"
    )


def add_who(parser: argparse.ArgumentParser) -> None:
    """Add who answers for it: whoever is logged in, unless another is named. `require_who` asks for it."""
    name = login()
    shown = f"(default: your login, {name})".replace("%", "%%") if name else "(your login is not known here)"
    parser.add_argument("--who", type=said(WHO_MAX), default=name or None, help=f"who answers for it, by name {shown}")


def require_who(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    """Refuse the command if nobody answers for it."""
    if not given.who:
        parser.error("say by --who NAME who answers for it: your login is not known here")


def login() -> str:
    """Return the login of the person at the terminal, empty where neither the environment nor the system knows it."""
    with suppress(KeyError, OSError):
        name = os.environ.get("SUDO_USER") or getpass.getuser()
        return name if is_said(name, WHO_MAX) else ""
    return ""


def times(now_ms: int) -> dict[str, Any]:
    """Return what every command carries: a fresh id, when it was received, when it is too late."""
    return {"id": new_id(now_ms), "received_ms": now_ms, "decided_by_ms": now_ms + OPERATOR_TTL_MS}


def ask_writer(settings: Settings, command: AnyCommand, wait_s: float, shard: int = 1) -> Outcome | None:
    """Queue the command for a shard's writer and wait for its outcome; None if it did not come: nobody knows yet.

    Raise NotAsked if it certainly was not queued.
    """
    try:
        # The queue carries what the writer can read only; otherwise it would fail there, unseen from here.
        msgspec.json.decode(msgspec.json.encode(command), type=AnyCommand)
    except msgspec.ValidationError as ex:
        raise NotAsked(str(ex)) from ex
    client = connect(embedded_redis.redis_url(settings), block_s=wait_s)
    try:
        if not client.exists(redis_keys.of_shard(redis_keys.WRITER_ALIVE, shard)):
            print("the writer does not run; this waits in its queue until it does", file=sys.stderr)
        return ask(client, command, SystemClock().now_ms(), wait_s=wait_s, shard=shard)
    except OUTAGES as ex:
        if was_never_sent(ex):
            raise NotAsked(f"Redis is away, nothing was done: {ex}") from ex
        return None
    except RedisError as ex:
        print(f"Redis refuses: {ex}", file=sys.stderr)
        return None
    finally:
        client.close()


def tell(
    outcome: Outcome | None,
    sentence: str,
    *,
    as_json: bool,
    again: str = "repeat it with the same reference, which happens once only",
) -> int:
    """Print an outcome; return the exit code: 0 done (also before), 1 refused, 3 not known yet."""
    if outcome is None:
        detail = f"No answer in time. It may still happen: {again}."
        _say({"ok": None, "code": "UNAVAILABLE", "detail": detail}, detail, as_json=as_json, failed=True)
        return UNKNOWN
    if outcome.code is not None:
        problem = {"ok": False, "code": outcome.code, "detail": outcome.detail, **outcome.data}
        _say(problem, f"refused, {outcome.code}: {outcome.detail}", as_json=as_json, failed=True)
        return REFUSED
    _say({"ok": True, **outcome.data}, sentence, as_json=as_json, failed=False)
    return DONE


def _say(fields: dict[str, Any], sentence: str, *, as_json: bool, failed: bool) -> None:
    told = msgspec.json.encode(fields).decode() if as_json else sentence
    try:
        print(told, file=sys.stderr if failed and not as_json else sys.stdout, flush=True)
    except OSError as ex:
        # The exit code still tells what became of the money.
        give_up_output()
        print(f"cannot write the answer: {ex.strerror}", file=sys.stderr)
