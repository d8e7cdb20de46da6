"""The breaker as it is stored: read by whoever shows it, changed in one step by its check and by operators' words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from runtime.clock import Clock
from runtime.game.breaker import Breaker, Override, overridden
from runtime.messaging.bus import publish_public
from runtime.messaging.commands import NoteOverride
from runtime.messaging.connection import Redis
from runtime.messaging.queues import new_id, send_commands
from runtime.messaging.redis_keys import BREAKER
from runtime.messaging.redis_values import OverrideNote, decode_breaker, decode_override_note, encode_breaker

ORIGIN = "breaker"
Change = Callable[[Breaker, OverrideNote | None], tuple[Breaker, OverrideNote | None]]


def set_override(
    client: Redis, override: Override, who: str, why: str, clock: Clock, *, for_ms: int | None = None
) -> Breaker:
    """Let an operator force the breaker open or closed, for a time or not, or hand it back.

    It is queued for the database before it counts, so that none counts that is not kept. The next check logs it.
    """
    now_ms = clock.now_ms()
    until_ms = overridden(Breaker(), override, for_ms, now_ms).override_until_ms
    kept = NoteOverride(
        id=new_id(now_ms),
        received_ms=now_ms,
        decided_by_ms=now_ms,
        override=override.value,
        who=who,
        why=why,
        set_ms=now_ms,
        until_ms=until_ms,
    )
    send_commands(client, [kept], ORIGIN, now_ms)
    note = OverrideNote(who, why, now_ms)
    return change_breaker(client, lambda breaker, _: (overridden(breaker, override, for_ms, now_ms), note), now_ms)[1]


def read_breaker(client: Redis) -> tuple[Breaker, OverrideNote | None]:
    """Return the stored breaker and the note on its override."""
    stored: Any = client.get(BREAKER)
    return decode_breaker(stored), decode_override_note(stored)


def change_breaker(client: Redis, change: Change, now_ms: int) -> tuple[Breaker, Breaker, OverrideNote | None]:
    """Read, change and write the breaker as one step, so that a check and an operator never undo one another.

    Return it before and after, and the note.
    """
    outcome: list[tuple[Breaker, Breaker, OverrideNote | None]] = []

    def attempt(pipe: Any) -> None:
        stored = pipe.get(BREAKER)
        before, note = decode_breaker(stored), decode_override_note(stored)
        after, note = change(before, note)
        outcome[:] = [(before, after, note)]
        pipe.multi()
        pipe.set(BREAKER, encode_breaker(after, note))
        if _told_of(after) != _told_of(before):
            publish_public(pipe, "status", msgspec.json.encode(after.to_dict()), now_ms)

    client.transaction(attempt, BREAKER)
    return outcome[0]


def _told_of(breaker: Breaker) -> tuple[object, ...]:
    return breaker.state, breaker.override, breaker.override_until_ms
