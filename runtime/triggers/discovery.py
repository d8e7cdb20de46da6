"""Find the functions that no request starts, in a folder of functions or among the house's own jobs."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from runtime.function_files import DiscoveryError, declared_in, files_of
from runtime.function_types import complaint, hints_of, refuse_unreadable
from runtime.triggers.declaration import Trigger
from runtime.triggers.run import Event, Run

NAMED_BY_ALL = "runtime.triggers"


def triggers_in(folder: Path | str) -> tuple[Trigger, ...]:
    """Import the files of a folder that declare such functions, and no others; return them by name."""
    found = [one for file in files_of(folder) if speaks_of_triggers(file) for one in triggers_of(file)]
    return in_order(found)


def in_order(triggers: Iterable[Trigger]) -> tuple[Trigger, ...]:
    """Return them by name; raise DiscoveryError where two have one name, or take from one queue."""
    known: dict[str, Trigger] = {}
    for one in triggers:
        for key in (one.name, *([f"queue {one.queue}"] if one.starter == "queue" else [])):
            first = known.setdefault(key, one)
            if first is not one:
                raise DiscoveryError(one.file, f"{key} is declared in {first.file} already")
    return tuple(sorted({one.name: one for one in known.values()}.values(), key=lambda one: one.name))


def speaks_of_triggers(file: Path) -> bool:
    """Tell whether a file may declare one: who does names this room. Processes without requests import no others."""
    return NAMED_BY_ALL in file.read_text(encoding="utf-8", errors="replace")


def triggers_of(file: Path) -> list[Trigger]:
    """Import a file and return what it declares, without its endpoints."""
    found = []
    for one in declared_in(file):
        declared = one.declaration
        if isinstance(declared, Trigger):
            _refuse_handler(file, one.handler, declared)
            refuse_unreadable(file, [declared.body, declared.settings], msgspec.inspect.multi_type_info)
            found.append(replace(declared, name=declared.name or one.name, file=str(file)))
    return found


def _refuse_handler(file: Path, handler: Any, declared: Trigger) -> None:
    """Raise DiscoveryError unless the handler reads `(run: Run[Body]) -> Answer`, with what it is started by."""
    name = handler.__name__
    parameters = list(inspect.signature(handler).parameters.values())
    body: Any = {"event": Event, "queue": declared.body}.get(declared.starter, type(None))
    wanted = f"write (run: Run[{'None' if body is type(None) else body.__name__}]) -> ..."
    if declared.queue and declared.body is None and not parameters:
        return  # a job of the house's own, which takes what it needs from its process
    hints = hints_of(file, handler)
    taken = hints.get(parameters[0].name) if len(parameters) == 1 else None
    if "return" not in hints or get_origin(taken) is not Run or get_args(taken)[0] is not body:
        raise complaint(file, name, f"{name} must take the run and say what it returns: {wanted}")
