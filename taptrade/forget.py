"""`taptrade forget`: a player's personal data made unreadable for ever, where the law asks for no more of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from jobs.upkeep.archive_store import StoreFailed, open_store
from jobs.upkeep.erasures import store_erasure
from runtime.auth.sessions import Sessions
from runtime.clock import SystemClock, rfc3339
from runtime.errors import Unavailable
from runtime.messaging.commands import ForgetPlayer
from runtime.messaging.connection import connect
from runtime.operating.words import WHY_MAX
from runtime.personal.erased import Erased
from runtime.postgresql import choice
from runtime.settings import Settings, load
from taptrade import embedded_redis
from taptrade.arguments import said, seconds
from taptrade.asking import REFUSED, WAIT_S, add_who, ask_writer, require_who, tell, times
from taptrade.books import find_account, open_books
from taptrade.output import add_output


def main(argv: Sequence[str]) -> int:
    """Forget a player for ever: destroy the key of what tells who it was, and all that the account is found by.

    Money, bets and times stay, under the account's id. It is refused while anything is owed, open or to be kept. Who
    signs in with the same wallet afterwards opens a new account. Done again, it finishes what was left half done.
    Exit codes: 0 forgotten (now or before), 1 refused or not finished, 2 nothing was asked, 3 no answer yet: repeat it.
    """
    parser = argparse.ArgumentParser(prog="taptrade forget", description=main.__doc__)
    parser.add_argument("account", metavar="WALLET|USER_ID", help="once forgotten, by the user id only")
    add_who(parser)
    parser.add_argument(
        "--why", required=True, type=said(WHY_MAX), help="why, e.g. the ticket's number; kept for ever, so name nobody"
    )
    add_output(parser)
    parser.add_argument(
        "--wait", type=seconds, default=WAIT_S, metavar="SECONDS", help="longest wait for the commit (%(default)s)"
    )
    given = parser.parse_args(argv)
    require_who(parser, given)
    settings = load()
    choice.refuse_on_postgresql(settings, "forgetting a player", "old states of rows stay in its files and its log")
    with open_books(settings) as database:
        user_id = find_account(database, given.account).user_id
    command = ForgetPlayer(user_id=user_id, who=given.who, why=given.why, **times(SystemClock().now_ms()))
    outcome = ask_writer(settings, command, given.wait)
    left = ""
    if outcome is not None and outcome.code is None:
        left = _finish(settings, outcome.data)
    sentence = "" if outcome is None or outcome.code is not None else _sentence(outcome.data)
    code = tell(outcome, sentence, as_json=given.json, again="repeat it; a player is forgotten once")
    if left:
        print(f"{left}; repeat the command with {user_id}", file=sys.stderr)
    return code or (REFUSED if left else code)


def _finish(settings: Settings, done: dict[str, Any]) -> str:
    """End the sessions and keep the erasure where archives are; return what could not be done, empty if all was."""
    user_id = done["user_id"]
    client = connect(embedded_redis.redis_url(settings))
    try:
        Sessions(client, SystemClock()).revoke_all(user_id)
        store_erasure(open_store(settings), Erased(user_id, done["erased_ms"], done["who"], done["why"]))
    except Unavailable as ex:
        return f"the player is forgotten, but sessions may be open: {ex}"
    except StoreFailed as ex:
        return f"the player is forgotten, but the archive store does not know it, so no restore would: {ex}"
    finally:
        client.close()
    return ""


def _sentence(done: dict[str, Any]) -> str:
    before = "; that was done before" if done.get("repeat") else ""
    return (
        f"forgot player {done['user_id']} at {rfc3339(done['erased_ms'])} by {done['who']}{before}\n"
        "copies of the database from before still have the key, for as long as they are kept: backups and the replica"
    )
