"""`taptrade feed`: the sources of prices, for the operator."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from taptrade import feed_record, feed_status


def main(argv: Sequence[str]) -> int:
    """Show how the sources of prices do, or record what they say."""
    parser = argparse.ArgumentParser(prog="taptrade feed", description=main.__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="status|record")
    feed_status.declare(commands)
    feed_record.declare(commands)
    given = parser.parse_args(argv)
    return int(given.run(given))
