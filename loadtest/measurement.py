"""What all measurements share: a folder for their files, what is shown meanwhile, their sections, their exit code."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from loadtest.processes import BenchFailed
from loadtest.report import renew, section
from loadtest.system import Audit, find_nginx

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
DOCUMENTS = (ROOT / "docs" / "performance.md", ROOT / "docs" / "performance-log.md")
"""The page and its log, which has the long tables: a section is renewed where its markers stand."""
Found = dict[str, Any]
"""What a measurement finds out, as it is written to build/NAME.json and read by its sections' templates."""
Show = Callable[[str], None]


class Display:
    """What is being done and for how much longer: a bar on a terminal, a line for each step elsewhere.

    The bar is drawn when something is shown: no thread takes CPU from the system.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started_s = time.monotonic()
        columns = (TextColumn("{task.description}"), BarColumn(30), TimeElapsedColumn(), TimeRemainingColumn())
        shown, silent = TextColumn("{task.fields[text]}"), not console.is_terminal
        self._bar = Progress(*columns, shown, console=console, auto_refresh=False, transient=True, disable=silent)

    def elapsed_s(self) -> float:
        """Return how long the measurement has been running."""
        return time.monotonic() - self.started_s

    def say(self, line: str) -> None:
        """Print a line that stays."""
        self.console.print(line, highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, name: str, seconds: float) -> Iterator[Show]:
        """Draw a bar for about so many seconds; the block may show what it sees, once a second or so."""
        if not self.console.is_terminal:
            self.say(f"{self.elapsed_s():5.0f} s  {name}")
        with self._bar:
            task = self._bar.add_task(name, total=seconds, text="")
            start_s = time.monotonic()

            def show(text: str) -> None:
                self._bar.update(task, completed=min(time.monotonic() - start_s, seconds), text=text, refresh=True)

            show("")
            yield show
            self._bar.remove_task(task)


@dataclass(slots=True)
class Trial:
    """One run of a measurement: its files, what shows how far it is, which nginx goes in front; what any run notes."""

    folder: Path
    display: Display
    nginx: str | None = None
    machine: Found = field(default_factory=dict)
    audits: list[Audit] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Measurement:
    """A command: its name, what it does, and what is to be said of what it finds."""

    name: str
    measure: Callable[..., Found]
    """Takes the trial, and its options by name, each with a default and annotated with what it is for."""
    complaints: Callable[[Found], Iterable[str]] = lambda _found: ()
    """What is not as it should be, missing money aside; anything makes the exit code 1."""
    renews: Callable[[Found], bool] = lambda _found: True
    """Whether a run says enough to renew the documents."""
    sections: tuple[str, ...] = ()
    """Those of the documents that tell of it, if not the one of the same name; an empty one is left as it is."""
    nginx: Literal["needed", "wanted", "unused"] = "needed"
    keeps_data: bool = True
    """Whether logs and data stay after a run that failed."""


def run(one: Measurement, options: Mapping[str, Any]) -> int:
    """Measure, print, write, renew; the exit code is 1 if there is something to complain of."""
    display = Display(Console())
    nginx = None if one.nginx == "unused" else find_nginx()
    if nginx is None and one.nginx == "needed":
        raise BenchFailed("nginx is not installed (apt-get install nginx)")
    if nginx is None and one.nginx == "wanted":
        display.say("[bold red]nginx is not installed: the load goes to the API directly[/] (apt-get install nginx)")
    BUILD.mkdir(exist_ok=True)
    # On the disk of the project, not in /tmp: a file system in memory would make every sync free.
    trial = Trial(Path(tempfile.mkdtemp(prefix=f"{one.name}-", dir=BUILD)), display, nginx)
    kept = one.keeps_data
    try:
        found = one.measure(trial, **options)
        found |= {"options": dict(options), "machine": trial.machine, "audits": trial.audits}
        found["complaints"] = complaints_of(one, found)
        publish(one, found, display)
        kept = kept and bool(found["complaints"])
    finally:
        if kept and any(trial.folder.iterdir()):  # a run that never began has none
            display.say(f"logs and data are left in {trial.folder}")
        else:
            shutil.rmtree(trial.folder)
    for complaint in found["complaints"]:
        display.say(f"[bold red]{complaint}[/]")
    return 1 if found["complaints"] else 0


def complaints_of(one: Measurement, found: Found) -> list[str]:
    """Return what is not as it should be; every cent must be there."""
    missing = [] if all(audit.adds_up for audit in found["audits"]) else ["the money does not add up"]
    return [*one.complaints(found), *missing]


def publish(one: Measurement, found: Found, display: Display) -> None:
    """Print the tables, write build/NAME.json and, if the run says enough to be kept, renew the documents."""
    (BUILD / f"{one.name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    written = {name: section(name, found) for name in one.sections or (one.name,)}
    blocks = {name: block for name, block in written.items() if block}
    display.say("\n" + "\n\n".join(blocks.values()))
    renews = one.renews(found)
    if renews:
        renew(DOCUMENTS, blocks)
    fate = "renewed" if renews else "as it was"
    display.say(f"\n{display.elapsed_s():.0f} s; figures in build/{one.name}.json, {DOCUMENTS[0].name} {fate}")
