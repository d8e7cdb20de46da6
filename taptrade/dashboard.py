"""`taptrade dashboard`: where the operator's dashboard is, and the key that signs in to it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from jobs.dashboard.key import read_key
from runtime.settings import Settings, load
from taptrade import running
from taptrade.listening import url_of
from taptrade.output import add_output, print_json, say_failed
from taptrade.running import Run


def main(argv: Sequence[str]) -> int:
    """Print the address of rq-dashboard and the key that signs in."""
    parser = argparse.ArgumentParser(prog="taptrade dashboard", description=main.__doc__)
    add_output(parser)
    given = parser.parse_args(argv)
    settings = load()
    key = settings.dashboard_key or read_key(settings.data)
    if not key:
        say_failed(
            f"no key was made in {settings.data}: either nothing has run there yet,"
            " or the key is the run's TAPTRADE_DASHBOARD_KEY",
            json=given.json,
            command="dashboard",
        )
        return 1
    run = running.find_unless_told(settings, "DASHBOARD_PORT")
    url = url_of_dashboard(settings, run)
    if given.json:
        print_json({"url": url, "key": key})
    else:
        print(f"{url}\n{key}")
    return 0


def url_of_dashboard(settings: Settings, run: Run | None = None) -> str:
    """Return the URL to open: by the domain that was set, else where the run, or what the settings tell of, listens."""
    if running.is_told("DASHBOARD_DOMAIN"):
        return f"http://{settings.dashboard_domains[0]}/"
    here = run or settings
    return f"{url_of(here.dashboard_host, here.dashboard_port)}/"
