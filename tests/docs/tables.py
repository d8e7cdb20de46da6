"""The tables of the documents, made from the code; `python -m tests.docs.tables` writes them into the documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from jobs.rq.schedule import house_triggers
from runtime.error_codes import CODES
from runtime.rate_limits import DAY_S, MINUTE_S, policies
from runtime.settings import load
from runtime.settings_table import TABLE
from runtime.triggers.discovery import triggers_in
from runtime.web.declaration import Function
from runtime.web.discovery import discover
from taptrade.cli import COMMANDS
from taptrade.processes import PROCESSES
from tests.docs.costs import COSTS
from tests.test_import_law import GROUND, MAY_IMPORT, TOP, docstring_of

ROOT = Path(__file__).resolve().parents[2]
TREES = ("runtime", "functions", "jobs", "taptrade")
BLOCK = re.compile(r"<!-- table: (?P<name>[a-z]+) -->\n(?P<rows>.*?)<!-- end -->", re.DOTALL)


def documents() -> list[Path]:
    """Return every document of the project."""
    beside = (ROOT / "loadtest" / "README.md", *(ROOT / "changes").glob("*.md"))
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *beside])


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Write a table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def settings() -> str:
    """Every setting: variable, default and meaning."""
    rows = (
        (f"`{row.variable}`", f"`{row.default}`" if row.default else "", row.help + (" (secret)" if row.secret else ""))
        for row in TABLE
    )
    return table(("variable", "default", "meaning"), rows)


def endpoints() -> str:
    """Every endpoint: who may call it, what counts and guards it, and which file answers."""
    rows = (
        (
            f"`{one.method} {one.route}`",
            {"none": "", "session": "session", "optional": "if there is one", "operator": "operator's"}[one.auth],
            ", ".join([*one.buckets, *(f"guard: {guard}" for guard in one.guards)]),
            one.summary,
            f"`functions/{Path(one.file).name}`",
        )
        for one in discover(ROOT / "functions")
    )
    return table(("endpoint", "session", "limits", "what", "file"), rows)


def buckets() -> str:
    """Every bucket: whom it counts, for how long, and the setting of its quota."""
    rates = [row for row in TABLE if row.variable.endswith(("_PER_MINUTE", "_PER_DAY"))]
    # Each setting gets a number of its own, by which its bucket is known.
    quotas = policies(load({row.variable: str(number) for number, row in enumerate(rates, start=1)}))
    spans = {MINUTE_S: "minute", DAY_S: "day"}
    rows = (
        (f"`{one.bucket}`", one.per, spans[one.window_s], f"`{row.variable}`", row.default, row.help)
        for one in quotas.values()
        for row in [rates[one.limit - 1]]
    )
    return table(("bucket", "counted by", "window", "setting", "default", "what"), rows)


def costs() -> str:
    """What one call of every endpoint costs at most, and what bounds how often it comes."""
    rows = (_row_of_costs(one) for one in discover(ROOT / "functions"))
    head = ("endpoint", "CPU, ms", "database, bytes", "Redis, bytes for s", "counted in", "and bounded by")
    return table(head, rows)


def _row_of_costs(one: Function) -> tuple[str, ...]:
    name = f"{one.method} {one.route}"
    cost = COSTS.get(name)
    if cost is None:
        return f"`{name}`", "not measured", "", "", ", ".join(one.buckets), ""
    in_database = f"{cost.database_bytes:,}" if cost.database_bytes else ""
    in_redis = f"{cost.redis_bytes:,} for {cost.redis_s:,}" if cost.redis_bytes else ""
    return f"`{name}`", f"{cost.cpu_ms:g}", in_database, in_redis, ", ".join(one.buckets), cost.bound


def errors() -> str:
    """Every error code: status, whether trying again helps, and meaning; first the house's, then those of functions."""
    own = {code: one.codes[code] for one in discover(ROOT / "functions") for code in one.errors}
    rows = (
        (f"`{code}`", str(one.status), "yes" if one.retryable else "", one.meaning)
        for code, one in (CODES | own).items()
    )
    return table(("code", "status", "retryable", "meaning"), rows)


def processes() -> str:
    """Every process of a run, in the order in which they start."""
    return table(("process", "what it does"), ((f"`{one.name}`", one.help) for one in PROCESSES))


def commands() -> str:
    """Every command of the command line."""
    return table(("command", "what it does"), ((f"`taptrade {one.name}`", one.help) for one in COMMANDS.values()))


def schedules() -> str:
    """Every periodic job of the house's own."""
    rows = (
        (
            f"`{one.name}`",
            f"`{one.handler.__module__}.{one.handler.__name__}`",
            one.queue,
            f"cron `{one.cron}` UTC" if one.cron else f"{one.interval_s} s",
        )
        for one in house_triggers()
    )
    return table(("job", "function", "queue", "when"), rows)


def triggers() -> str:
    """Every function that no request starts: what does, its limits, and which file it is in."""
    rows = (
        (
            f"`{one.name}`",
            one.when,
            f"{one.timeout_s} s",
            str(one.in_flight),
            str(one.retries),
            one.summary,
            f"`functions/{Path(one.file).name}`",
        )
        for one in triggers_in(ROOT / "functions")
    )
    return table(("function", "started by", "time limit", "in flight", "retries", "what", "file"), rows)


def rooms() -> str:
    """Every room: what its docstring says of it, and what it may import; each stands below all that it may import."""
    order = sorted(MAY_IMPORT, key=lambda room: (_depth(room), room))
    inside = [_row_of_room(room) for room in order if room.startswith("runtime.")]
    outside = [_row_of_room(room) for tree in TREES[1:] for room in order if room.partition(".")[0] == tree]
    ground = ("`runtime/`: the ground", _modules(GROUND), "nothing else")
    top = ("`runtime/`: the top", _modules(TOP), "all of the above")
    return table(("room", "what is in it", "may import"), [ground, *inside, top, *outside])


def _row_of_room(room: str) -> tuple[str, ...]:
    names = ", ".join(name.removeprefix("runtime.") for name in MAY_IMPORT[room])
    return f"`{room.replace('.', '/')}/`", _opening(room), names or "no room"


def _modules(names: Iterable[str]) -> str:
    return ", ".join(f"`{name.removeprefix('runtime.')}`" for name in names)


def _opening(room: str) -> str:
    """Return the first paragraph of a room's docstring, without its full stop."""
    return " ".join(docstring_of(room).partition("\n\n")[0].split()).removesuffix(".")


def _depth(room: str) -> int:
    """Return how many rooms lie on the longest way down from a room; what may import a whole tree stands below it."""
    below = [one for name in MAY_IMPORT[room] for one in MAY_IMPORT if one == name or one.startswith(f"{name}.")]
    return 1 + max(map(_depth, below), default=0)


TABLES: dict[str, Callable[[], str]] = {
    made.__name__: made
    for made in (settings, endpoints, buckets, costs, errors, processes, commands, schedules, triggers, rooms)
}


def with_tables(text: str) -> str:
    """Return a document with its tables as the code has them now."""

    def write(block: re.Match[str]) -> str:
        return f"<!-- table: {block['name']} -->\n{TABLES[block['name']]()}<!-- end -->"

    return BLOCK.sub(write, text)


def names_in(text: str) -> list[str]:
    """Return the names of the tables of a document."""
    return [block["name"] for block in BLOCK.finditer(text)]


if __name__ == "__main__":
    for document in documents():
        old = document.read_text(encoding="utf-8")
        document.write_text(with_tables(old), encoding="utf-8")
