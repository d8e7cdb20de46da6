"""`taptrade deploy`, `rollback` and `versions`: other functions in service, while the house runs."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from runtime.clock import SystemClock, rfc3339
from runtime.errors import TaptradeError
from runtime.function_files import functions_folder
from runtime.function_versions import OWN, Serving, announced, house_id, in_service, pointer, set_of
from runtime.settings import Settings, SettingsError, load
from taptrade.arguments import said, seconds
from taptrade.function_check import require_functions
from taptrade.function_sets import (
    FunctionSet,
    NoSuchVersion,
    copy_in,
    describe,
    digest_of,
    discard,
    finish,
    forget_old,
    point,
    pointer_to,
    sole_deployment,
    version_of,
    versions,
)
from taptrade.output import add_output
from taptrade.tables import show_table

WITHIN_S = 60.0
LOOK_EVERY_S = 0.1
NOTE_MAX = 200
IN_SERVICE, TAKEN_BACK = 0, 3
COLUMNS = ("version", "made", "state", "served by", "before", "note", "from")


class NotDeployed(TaptradeError):
    """Nothing was changed; the sentence says why."""


class Deployed(msgspec.Struct, frozen=True):
    """What became of a deployment."""

    ok: bool
    version: int
    before: int
    processes: dict[str, int]
    """How many of each kind serve it by now; none where nothing runs, and it counts from the next start on."""
    without: list[str]
    """Files that were served before and are no more."""
    seconds: float
    detail: str


class VersionView(msgspec.Struct, frozen=True):
    """A version as it is shown; 0 is the house's own folder."""

    version: int
    made_at: str | None
    state: str
    served_by: dict[str, int]
    before: int | None
    note: str
    source: str


def deploy(argv: Sequence[str]) -> int:
    """Put a checked copy of a folder of functions into service, without losing a request.

    What is broken is named by file and line, and nothing is changed. A house that runs takes the new functions up: a
    new worker of the API answers before an old one ends. If that does not come about in time, the version before is
    taken back and the exit status is 3. The settings of functions are read anew.
    """
    parser = argparse.ArgumentParser(prog="taptrade deploy", description=deploy.__doc__)
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="default: the house's own functions/")
    parser.add_argument("--note", type=said(NOTE_MAX), help="what changed; shown by `taptrade versions`")
    given = _parsed(parser, argv)
    settings = load()
    source = functions_folder() if given.folder is None else given.folder.absolute()
    with sole_deployment(settings.data):
        _require_this_house(announced(settings.data))
        made = _made(settings.data, source, given.note or "")
        return _tell(_bring(settings.data, made, given.within), as_json=given.json)


def rollback(argv: Sequence[str]) -> int:
    """Put the version before the one in service into service again, or another one that is kept."""
    parser = argparse.ArgumentParser(prog="taptrade rollback", description=rollback.__doc__)
    parser.add_argument("version", nargs="?", type=int, metavar="VERSION", help="0: the house's own folder")
    given = _parsed(parser, argv)
    settings = load()
    with sole_deployment(settings.data):
        _require_this_house(announced(settings.data))
        number = _way_back(settings) if given.version is None else given.version
        if number == in_service(settings.data):
            raise NotDeployed(f"version {number} is in service already")
        made = None if number == OWN else version_of(settings.data, number)
        _require_fit(settings.data, number, functions_folder() if made is None else set_of(settings.data, number))
        return _tell(_bring(settings.data, made, given.within), as_json=given.json)


def list_versions(argv: Sequence[str]) -> int:
    """List the versions of the functions: when each was made and why, and which one is in service."""
    parser = argparse.ArgumentParser(prog="taptrade versions", description=list_versions.__doc__)
    add_output(parser)
    given = parser.parse_args(argv)
    data = load().data
    views = [_own_view(data), *(_view(data, one) for one in versions(data))]
    if given.json:
        print(msgspec.json.encode(views).decode())
        return 0
    show_table(COLUMNS, [_cells(one) for one in views], right=("version", "before"))
    return 0


def _parsed(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    parser.add_argument(
        "--within",
        type=seconds,
        default=WITHIN_S,
        metavar="SECONDS",
        help="how long the processes may take before the version before is taken back (%(default)s)",
    )
    add_output(parser)
    return parser.parse_args(argv)


def _require_this_house(serving: Sequence[Serving]) -> None:
    """Refuse to check functions with other sources than those that the house at work has loaded."""
    for one in serving:
        if one.house != house_id():
            raise NotDeployed(
                f"{one.process} ({one.pid}) began from another build or another runtime/ than this is; "
                "begin the house anew first, or deploy from its own folder"
            )


def _made(data: Path, source: Path, note: str) -> FunctionSet:
    """Copy a folder in and check the copy, so that what was checked is what is served."""
    number, before = copy_in(data, source), _before(data)
    try:
        _require_fit(data, number, source)
    except NotDeployed:
        discard(data, number)
        raise
    digest = digest_of(set_of(data, number))
    made = FunctionSet(number, SystemClock().now_ms(), note, str(source), digest, before)
    finish(data, made)
    return made


def _before(data: Path) -> int:
    """Return the version in service; of the house's own functions, the copy of what the start found."""
    serving = in_service(data)
    found = [one.version for one in versions(data) if one.found]
    return found[-1] if serving == OWN and found else serving


def _require_fit(data: Path, number: int, source: Path) -> None:
    try:
        require_functions(number)
    except SettingsError as ex:
        raise NotDeployed(f"{ex}; nothing was changed".replace(str(set_of(data, number)), str(source))) from ex


def _way_back(settings: Settings) -> int:
    serving = in_service(settings.data)
    if serving == OWN:
        raise NoSuchVersion("the house's own functions are in service, and nothing was before them")
    before = version_of(settings.data, serving).before
    return OWN if before == OWN else version_of(settings.data, before).version


def _bring(data: Path, made: FunctionSet | None, within_s: float) -> Deployed:
    """Put a version into service (None: the house's own) and wait until all that runs serves it; else go back."""
    clock, number = SystemClock(), OWN if made is None else made.version
    began_ms, stood, before = clock.monotonic_ms(), pointer(data), in_service(data)
    at_work = Counter(one.process for one in announced(data))
    point(data, pointer_to(number, clock.now_ms()))
    comes_up = _wait(data, number, at_work, within_s)
    if comes_up:
        forget_old(data)
        detail = f"version {number} is in service" if at_work else f"version {number} is served from the next start on"
    else:
        point(data, stood)
        back = _wait(data, before, at_work, within_s)
        detail = f"version {number} did not come up within {within_s:.0f} s, the logs say why; " + (
            f"version {before} is in service again" if back else f"version {before} is to be again, and is not yet"
        )
        if made is not None:
            describe(data, msgspec.structs.replace(made, failed=True))
    took_s = round((clock.monotonic_ms() - began_ms) / 1000, 1)
    without = sorted(_files(data, before) - _files(data, number)) if comes_up else []
    return Deployed(comes_up, number, before, _served_by(data, number), without, took_s, detail)


def _files(data: Path, version: int) -> set[str]:
    """Return the names of a version's files; none if it is kept no more."""
    folder = functions_folder() if version == OWN else set_of(data, version)
    return {file.name for file in folder.glob("*.py")}


def _wait(data: Path, number: int, at_work: Counter[str], within_s: float) -> bool:
    """Wait until as many processes of each kind as were at work serve a version, and none another one."""
    deadline_s = time.monotonic() + within_s
    while True:
        serving = announced(data)
        enough = Counter(one.process for one in serving) >= at_work
        if enough and all(one.version == number for one in serving):
            return True
        if time.monotonic() >= deadline_s:
            return False
        time.sleep(LOOK_EVERY_S)


def _tell(became: Deployed, *, as_json: bool) -> int:
    if as_json:
        print(msgspec.json.encode(became).decode())
    else:
        served = _counted(became.processes)
        by = f", by {served}" if became.ok and served else ""
        less = f"; no more: {', '.join(became.without)}" if became.without else ""
        print(f"{became.detail}{by}{less} ({became.seconds} s)", file=sys.stdout if became.ok else sys.stderr)
    return IN_SERVICE if became.ok else TAKEN_BACK


def _own_view(data: Path) -> VersionView:
    state = "in service" if in_service(data) == OWN else ""
    return VersionView(OWN, None, state, _served_by(data, OWN), None, "the house's own", str(functions_folder()))


def _view(data: Path, one: FunctionSet) -> VersionView:
    state = "failed" if one.failed else ""
    if in_service(data) == one.version:
        state = "in service"
    return VersionView(
        one.version, rfc3339(one.made_ms), state, _served_by(data, one.version), one.before, one.note, one.source
    )


def _served_by(data: Path, version: int) -> dict[str, int]:
    return dict(Counter(one.process for one in announced(data) if one.version == version))


def _cells(one: VersionView) -> tuple[object, ...]:
    return one.version, one.made_at, one.state, _counted(one.served_by), one.before, one.note, one.source


def _counted(processes: dict[str, int]) -> str:
    return ", ".join(f"{count} {process}" for process, count in sorted(processes.items()))
