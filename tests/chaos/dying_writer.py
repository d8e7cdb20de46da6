"""A writer that is killed between COMMIT and publication, again and again: `python -m tests.chaos.dying_writer DEATHS`.

Each child is the real writer's process but for one thing: the first commit that it would tell of is its end. Children
are forked from a process that has everything imported, so that a hundred deaths take seconds.
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


def die_before_telling(*arguments: object) -> None:
    """Take the place of `publish`: what has no news is published, what has some is the end."""
    _, _, commit, *_ = arguments
    if isinstance(commit, Commit) and commit.news:
        os.kill(os.getpid(), signal.SIGKILL)
    publish(*arguments)  # type: ignore[arg-type]


def live_once() -> NoReturn:
    """Be a writer until the first commit with news."""
    vars(core)["publish"] = die_before_telling
    main.main()
    os._exit(1)


def repeat(deaths: int) -> int:
    """Let so many writers die, one after the other; return how many did so as they should."""
    died = 0
    for _ in range(deaths):
        child = os.fork()
        if child == 0:
            live_once()
        _, status = os.waitpid(child, 0)
        died += os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        sys.stdout.write(f"{died}\n")
        sys.stdout.flush()
    return died


if __name__ == "__main__":
    log.configure("writer", load().log_level)
    wanted = int(sys.argv[1])
    sys.exit(0 if repeat(wanted) == wanted else 1)
