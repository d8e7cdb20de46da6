"""Find the functions: import every file of a folder, and name the file and the reason when one is broken."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
import traceback
import zlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_origin, get_type_hints

from runtime.errors import TaptradeError
from runtime.web.call import Call
from runtime.web.declaration import DECLARATION, Function


class DiscoveryError(TaptradeError):
    """A function file is broken; start-up ends with its name and the reason."""

    def __init__(self, file: Path | str, reason: str) -> None:
        self.file = str(file)
        self.reason = reason
        super().__init__(f"{self.file}: {reason}")


def discover(folder: Path | str) -> tuple[Function, ...]:
    """Import every `*.py` of `folder` and return its functions, ordered by route and method."""
    folder = Path(folder)
    if not folder.is_dir():
        raise DiscoveryError(folder, "there is no such folder")
    functions: list[Function] = []
    for file in sorted(folder.glob("*.py")):
        if file.name != "__init__.py":
            functions.extend(_functions_of(file))
    if not functions:
        raise DiscoveryError(folder, "no function in here")
    refuse_duplicates(functions)
    return tuple(sorted(functions, key=lambda one: (one.route, one.method)))


def refuse_duplicates(functions: Iterable[Function]) -> None:
    """Raise DiscoveryError when two functions answer the same requests, whatever their route fields are called."""
    taken: dict[tuple[str, str], Function] = {}
    for one in functions:
        first = taken.setdefault((one.method, _shape(one.route)), one)
        if first is not one:
            raise DiscoveryError(one.file, f"{one.method} {one.route} is declared in {first.file} already")


def refuse_unwired(functions: Iterable[Function], guards: Iterable[str], limits: Iterable[str]) -> None:
    """Raise DiscoveryError when a function names a guard or a limit that was not handed in."""
    known_guards, known_limits = frozenset(guards), frozenset(limits)
    for one in functions:
        for guard in one.guards:
            if guard not in known_guards:
                known = ", ".join(sorted(known_guards)) or "none"
                raise DiscoveryError(one.file, f"unknown guard {guard!r}; there is {known}")
        for limit in one.buckets:
            if limit not in known_limits:
                raise DiscoveryError(one.file, f"no quota for the limit {limit!r}")


def _functions_of(file: Path) -> list[Function]:
    module = _import(file)
    handlers = [
        (name, value)
        for name, value in vars(module).items()
        if hasattr(value, DECLARATION) and getattr(value, "__module__", None) == module.__name__
    ]
    if not handlers:
        raise DiscoveryError(file, "no declaration: decorate a handler with @function")
    functions = []
    for name, handler in handlers:
        _refuse_handler(file, name, handler)
        full_name = file.stem if len(handlers) == 1 else f"{file.stem}.{name}"
        functions.append(replace(getattr(handler, DECLARATION), name=full_name, file=str(file)))
    return functions


def _import(file: Path) -> ModuleType:
    try:
        if (file.parent / "__init__.py").exists():
            return _import_from_package(file)
        return _import_alone(file)
    except (Exception, SystemExit) as ex:
        raise DiscoveryError(file, _cause(file, ex)) from ex


def _cause(file: Path, ex: BaseException) -> str:
    """Say why an import broke and in which line of the file; and where, if it broke in what the file imports."""
    reason = f"{type(ex).__name__}: {ex}"
    if isinstance(ex, SyntaxError) and ex.filename:
        if _is_same(ex.filename, file):
            return f"syntax error in line {ex.lineno}: {ex.msg}"
        reason = f"syntax error in {ex.filename}, line {ex.lineno}: {ex.msg}"
    # Frames of functions tell how a library works; those of modules, which import led here.
    modules = [frame for frame in traceback.extract_tb(ex.__traceback__) if frame.name == "<module>"]
    if modules and not _is_same(modules[-1].filename, file):
        reason = f"{reason} (in {modules[-1].filename}, line {modules[-1].lineno})"
    lines = [frame.lineno for frame in modules if _is_same(frame.filename, file)]
    return f"line {lines[-1]}: {reason}" if lines else reason


def _is_same(name: str, file: Path) -> bool:
    return os.path.realpath(name) == os.path.realpath(file)


def _import_from_package(file: Path) -> ModuleType:
    names = [file.stem]
    for parent in file.absolute().parents:
        if not (parent / "__init__.py").exists():
            break
        names.insert(0, parent.name)
    module = importlib.import_module(".".join(names))
    found = getattr(module, "__file__", None)
    if found is None or not Path(found).samefile(file):
        raise ImportError(f"the import name {'.'.join(names)} means {found}")
    return module


def _import_alone(file: Path) -> ModuleType:
    # Two folders may hold files of one name, so the folder's path is part of the module's name.
    name = f"taptrade_functions_{zlib.crc32(bytes(file.absolute().parent)):08x}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError("cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _refuse_handler(file: Path, name: str, handler: Any) -> None:
    """Raise DiscoveryError unless the handler reads `(call: Call[Body]) -> Answer`, with the declared body."""
    parameters = list(inspect.signature(handler).parameters.values())
    if len(parameters) != 1:
        raise DiscoveryError(file, f"{name} must take one argument, the call")
    try:
        hints = get_type_hints(handler)
    except Exception as ex:
        raise DiscoveryError(file, f"the annotations of {name} cannot be read: {ex}") from ex
    taken = hints.get(parameters[0].name)
    if taken is None or "return" not in hints:
        raise DiscoveryError(file, f"{name} lacks annotations: write (call: Call[...]) -> ...")
    if get_origin(taken) is not Call:
        raise DiscoveryError(file, f"{name} must take a Call[...], not {taken!r}")
    body = getattr(handler, DECLARATION).body or type(None)
    if get_args(taken)[0] is not body:
        raise DiscoveryError(file, f"{name} takes {taken} but declares body={body.__name__}")


def _shape(route: str) -> str:
    return "/".join("{}" if part.startswith("{") and part.endswith("}") else part for part in route.split("/"))
