"""`taptrade doctor`: look at the machine and the installation, and say what to do."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

import msgspec

from runtime.settings import Settings, SettingsError, load
from taptrade.arguments import WithExamples
from taptrade.diagnosis import Diagnosis, fail, ok
from taptrade.installation_checks import installation_diagnoses
from taptrade.machine_checks import machine_diagnoses
from taptrade.output import add_output
from taptrade.tables import show_findings

WELL, ILL = 0, 1
EXAMPLES = """\
examples:
  taptrade doctor
  taptrade doctor --json | jq '.checks[] | select(.state != "ok")'
"""


def main(argv: Sequence[str]) -> int:
    """Look at the machine (Python, memory, limits, kernel, clock, file system, disk) and at the installation (locked
    packages, settings and all else that a start looks at, ports, databases, rights), and say what to do.

    Nothing is changed, and a house may run meanwhile. Exit codes: 0 nothing fails, 1 something does; a warning is a
    thing that works until it is needed.
    """
    parser = argparse.ArgumentParser(
        prog="taptrade doctor", description=main.__doc__, epilog=EXAMPLES, formatter_class=WithExamples
    )
    parser.add_argument("--whole", action="store_true", help="read a database of more than 1 GB from end to end too")
    add_output(parser)
    given = parser.parse_args(argv)
    found = list(examine(whole=given.whole))
    failed = sum(one.state == "fail" for one in found)
    if given.json:
        print(msgspec.json.encode({"ok": not failed, "checks": found}).decode())
    else:
        show_findings([_row(one) for one in found])
        warned = sum(one.state == "warn" for one in found)
        print(f"{len(found)} checks: {failed} fail, {warned} warn")
    return ILL if failed else WELL


def examine(*, whole: bool) -> Iterator[Diagnosis]:
    """Yield every diagnosis; with settings that are wrong, those that need none."""
    settings: Settings | None
    try:
        settings = load()
        known = ok("settings", f"mode {settings.mode}, data in {settings.data}")
    except SettingsError as ex:
        settings, known = None, fail("settings", str(ex), "`taptrade config` lists them all")
    yield from machine_diagnoses(settings)
    yield known
    if settings is not None:
        yield from installation_diagnoses(settings, whole=whole)


def _row(one: Diagnosis) -> tuple[str, str, str]:
    state = "FAIL" if one.state == "fail" else one.state
    return one.name, state, f"{one.seen}\n-> {one.remedy}" if one.remedy else one.seen
