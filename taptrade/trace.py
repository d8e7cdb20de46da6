"""`taptrade trace`: the story of one request, bet, job or commit, from all that was kept of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from runtime.clock import rfc3339
from runtime.settings import load
from taptrade.arguments import WithExamples
from taptrade.books import MOMENT, moment
from taptrade.output import add_output
from taptrade.storyteller import KINDS, Story, Storyteller
from taptrade.tables import show_table

KNOWN, UNKNOWN = 0, 1
EXAMPLES = """\
examples:
  taptrade trace 01M3250V00MQJACESPQ4RNKD8E           # a bet, a withdrawal or a job
  taptrade trace 4711                                 # a commit, as c4711.3 of an event too
  taptrade trace 5f0c...e2 --at 2026-01-06T12:30:00Z  # a request, by the X-Request-Id of its answer
  docker compose logs --no-color | docker compose exec -T api taptrade trace 4711 --log -
"""


def main(argv: Sequence[str]) -> int:
    """Tell the story of one id with its times: nginx, API, queue, writer, settlement, stream, from the logs, the
    database and Redis.

    Exit codes: 0 something is known, 1 nothing is, 2 it cannot be looked up.
    """
    parser = argparse.ArgumentParser(
        prog="taptrade trace", description=main.__doc__, epilog=EXAMPLES, formatter_class=WithExamples
    )
    parser.add_argument("id", metavar="ID", help="of a request (X-Request-Id), bet, withdrawal, job, commit or event")
    parser.add_argument("--as", dest="kind", choices=KINDS, help="what it is; default: told by its form")
    parser.add_argument(
        "--at", type=moment, metavar="TIME", help=f"when a request was made, to a minute: {MOMENT}; default: any time"
    )
    parser.add_argument(
        "--log",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="another log, such as nginx's; - for standard input",
    )
    add_output(parser)
    given = parser.parse_args(argv)
    with closing(Storyteller(load(), given.log)) as teller:
        story = teller.tell(given.id, given.kind, given.at)
    if given.json:
        print(msgspec.json.encode(story).decode())
    else:
        _show(story)
    return KNOWN if story.is_known else UNKNOWN


def _show(story: Story) -> None:
    began_ms = story.began_ms
    rows = []
    for step in story.steps:
        after = "" if began_ms is None else f"{(step.at_ms - began_ms) / 1000:+.3f} s"
        rows.append((rfc3339(step.at_ms), after, step.part, step.what))
    print(f"{story.kind} {story.id}" if story.is_known else f"nothing is known of {story.id}")
    rows += [("", "", line.process, f"log: {line.text}") for line in story.undated]
    if rows:
        show_table(("time", "after", "part", "what"), rows, right=("after",))
    for bet_id, spans in story.passed.items():
        told = ", ".join(f"{what} {ms:,} ms" for what, ms in spans.items())
        print(f"{bet_id}: {told}")
    for note in story.notes:
        print(f"note: {note}", file=sys.stderr)
