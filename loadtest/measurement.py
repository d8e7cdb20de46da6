"""What all measurements share: a folder for their files, their sections of the document, their exit code."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct, field
from rich.console import Console

from loadtest.bench.machine import Machine
from loadtest.bench.processes import BenchFailed
from loadtest.bench.system import Audit, find_nginx
from loadtest.display import Display
from loadtest.report import put_between, section

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
DOCUMENT = ROOT / "docs" / "performance.md"


class Findings(Struct, kw_only=True):
    """What a measurement finds out, as it is written to build/NAME.json."""

    options: dict[str, Any] = field(default_factory=dict)
    machine: Machine = field(default_factory=dict)
    audits: list[Audit] = field(default_factory=list)

    @property
    def renews(self) -> bool:
        """Tell whether this says enough to renew the document."""
        return True

    @property
    def sections(self) -> tuple[str, ...]:
        """The sections of the document that tell of it: one of the same name, unless it says otherwise."""
        return (type(self).__name__.lower(),)

    def complaints(self) -> list[str]:
        """Return what is not as it should be; anything makes the exit code 1. Every cent must be there."""
        return [] if all(audit.adds_up for audit in self.audits) else ["the money does not add up"]


@dataclass(slots=True)
class Trial:
    """One run of a measurement: its files, what shows how far it is, which nginx goes in front; what any run notes."""

    folder: Path
    display: Display
    nginx: str | None = None
    machine: Machine = dataclasses.field(default_factory=dict)
    audits: list[Audit] = dataclasses.field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Measurement:
    """A command: its name, and what it does."""

    name: str
    measure: Callable[..., Findings]
    """Takes the trial, and its options by name, each with a default and annotated with what it is for."""
    nginx: Literal["needed", "wanted", "unused"] = "needed"
    keeps_data: bool = True
    """Whether logs and data stay after a run that failed."""


def run(one: Measurement, options: Mapping[str, Any]) -> int:
    """Measure, print, write, renew; the exit code is 1 if there is something to complain of."""
    display = Display(Console())
    nginx = _nginx(one, display)
    BUILD.mkdir(exist_ok=True)
    # On the disk of the project, not in /tmp: a file system in memory would make every sync free.
    folder = Path(tempfile.mkdtemp(prefix=f"{one.name}-", dir=BUILD))
    kept = one.keeps_data
    try:
        trial = Trial(folder, display, nginx)
        findings = one.measure(trial, **options)
        findings.options, findings.machine, findings.audits = dict(options), trial.machine, trial.audits
        publish(one.name, findings, display)
        complaints = findings.complaints()
        kept = kept and bool(complaints)
    finally:
        if kept:
            display.say(f"logs and data are left in {folder}")
        else:
            shutil.rmtree(folder)
    for complaint in complaints:
        display.say(f"[bold red]{complaint}[/]")
    return 1 if complaints else 0


def _nginx(one: Measurement, display: Display) -> str | None:
    found = None if one.nginx == "unused" else find_nginx()
    if found is None and one.nginx == "needed":
        raise BenchFailed("nginx is not installed (apt-get install nginx)")
    if found is None and one.nginx == "wanted":
        display.say("[bold red]nginx is not installed: the load goes to the API directly[/] (apt-get install nginx)")
    return found


def publish(name: str, findings: Findings, display: Display, document: Path | None = None) -> None:
    """Print the tables, write build/NAME.json and, if the run says enough to be kept, renew the document."""
    (BUILD / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(findings)) + b"\n")
    blocks, document = {name: section(name, findings) for name in findings.sections}, document or DOCUMENT
    display.say("\n" + "\n\n".join(blocks.values()))
    if findings.renews:
        text = document.read_text(encoding="utf-8")
        for marker, block in blocks.items():
            text = put_between(text, marker, block)
        document.write_text(text, encoding="utf-8")
    fate = "renewed" if findings.renews else "stays as it is"
    display.say(f"\n{display.elapsed_s():.0f} s; figures in build/{name}.json, {document.name} {fate}")
