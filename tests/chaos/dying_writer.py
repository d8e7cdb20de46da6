"""A writer killed around publication, again and again: `python -m tests.chaos.dying_writer before|after DEATHS`.

Each child is the real writer's process but for one thing: the first commit with events is its end, either between
COMMIT and publication, or right after the publication, with all that it still knew by heart. Children are forked from a
process that has everything imported, so that a hundred deaths take seconds.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

from jobs.writer import core, main
from jobs.writer.publish import publish
from runtime import log
from runtime.game.ledger import Commit
from runtime.settings import load


def publish_and_die(when: str, *arguments: object) -> None:
    """Take the place of `publish`: what has no events is published, what has some is the end."""
    _, _, commit, *_ = arguments
    has_events = isinstance(commit, Commit) and bool(commit.events)
    if has_events and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    publish(*arguments)  # type: ignore[arg-type]
    if has_events:
        os.kill(os.getpid(), signal.SIGKILL)


def live_once(when: str) -> NoReturn:
    """Be a writer until the first commit with events."""
    vars(core)["publish"] = lambda *arguments: publish_and_die(when, *arguments)
    main.main()
    os._exit(1)


def repeat(when: str, deaths: int) -> int:
    """Let so many writers die, one after the other; return how many did so as they should."""
    died = 0
    for _ in range(deaths):
        child = os.fork()
        if child == 0:
            live_once(when)
        _, status = os.waitpid(child, 0)
        died += os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        sys.stdout.write(f"{died}\n")
        sys.stdout.flush()
    return died


if __name__ == "__main__":
    log.configure("writer", load().log_level)
    wanted = int(sys.argv[2])
    sys.exit(0 if repeat(sys.argv[1], wanted) == wanted else 1)
