"""The files of functions: import one, find what it declares, and name the file and the line where it is broken."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
import zlib
from collections.abc import Iterator
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from runtime.errors import TaptradeError

DECLARATION = "__taptrade_function__"
"""The attribute of a handler that holds its declaration, whatever starts it."""


class DeclarationError(Exception):
    """A function is declared wrongly; the sentence says how."""


class DiscoveryError(TaptradeError):
    """A function file is broken; start-up ends with its name and the reason."""

    def __init__(self, file: Path | str, reason: str) -> None:
        self.file = str(file)
        self.reason = reason
        super().__init__(f"{self.file}: {reason}")


class Declared(NamedTuple):
    """A handler with its declaration, and the name that it goes by."""

    name: str
    handler: Any
    declaration: Any


def functions_folder() -> Path:
    """Return where the functions are."""
    return folder_of("functions")


def folder_of(package: str) -> Path:
    """Return where a package is, without importing it."""
    found = util.find_spec(package)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"the package `{package}` is not installed")
    return Path(found.origin).parent


def files_of(folder: Path | str) -> list[Path]:
    """Return the files of a folder of functions; raise DiscoveryError if there is none of that name."""
    folder = Path(folder)
    if not folder.is_dir():
        raise DiscoveryError(folder, "there is no such folder")
    return [file for file in sorted(folder.glob("*.py")) if file.name != "__init__.py"]


def declared_in(file: Path) -> list[Declared]:
    """Import a file and return what it declares; one alone is called as the file, several after the file and theirs."""
    module = import_file(file)
    handlers = [
        (name, value)
        for name, value in vars(module).items()
        if hasattr(value, DECLARATION) and getattr(value, "__module__", None) == module.__name__
    ]
    if not handlers:
        raise DiscoveryError(file, "no declaration: decorate a handler with @function, @every, @cron, @on_queue, ...")
    alone = len(handlers) == 1
    return [
        Declared(file.stem if alone else f"{file.stem}.{name}", handler, getattr(handler, DECLARATION))
        for name, handler in handlers
    ]


def import_file(file: Path) -> ModuleType:
    """Import a file; raise DiscoveryError that says why it cannot be, and in which line."""
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
    name = ".".join([*_packages(file), file.stem])
    module = importlib.import_module(name)
    found = getattr(module, "__file__", None)
    if found is None or not Path(found).samefile(file):
        raise ImportError(f"the import name {name} means {found}")
    return module


def _packages(file: Path) -> Iterator[str]:
    """Yield the names of the packages that a file lies in, the outermost first."""
    names: list[str] = []
    for parent in file.absolute().parents:
        if not (parent / "__init__.py").exists():
            break
        names.insert(0, parent.name)
    yield from names


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
