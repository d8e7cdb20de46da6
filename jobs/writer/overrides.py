"""Operators' words on the breaker, kept for ever; they count from elsewhere, at once and without the writer."""

from __future__ import annotations

from runtime.game.ledger import Commit
from runtime.messaging.commands import NoteOverride, Outcome


def note_override(commit: Commit, command: NoteOverride) -> Outcome:
    """Keep who decided what about the breaker, once."""
    if not commit.write("override_exists", command.id):
        content = (
            command.id,
            command.override,
            command.who,
            command.why,
            command.set_ms,
            command.until_ms,
            commit.now_ms,
            commit.number,
        )
        commit.write("insert_override", *content, commit.record("override", *content))
    return Outcome(command.id, {})
