"""What `taptrade calibrate` and `taptrade calibrate fit` are both asked with."""

from __future__ import annotations

import argparse

from runtime.setting_forms import whole
from runtime.settings import LIVE_FILL_DELAY_MS
from taptrade.arguments import typed


def add_fill_delay(parser: argparse.ArgumentParser) -> None:
    """Declare the fill delay that the player who sees prices ahead is judged at."""
    parser.add_argument(
        "--fill-delay-ms",
        type=typed(whole(0, 10_000)),
        default=LIVE_FILL_DELAY_MS,
        metavar="N",
        help="the live fill delay, that a head start is judged at; default: %(default)s",
    )
