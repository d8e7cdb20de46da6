"""What changes while a developer works: which files of ours, seen a few times a second."""

from __future__ import annotations

import importlib
import os
import re
import signal
import sys
import threading
from collections.abc import Collection, Iterable
from pathlib import Path

from runtime.function_files import folder_of, functions_folder

LOOK_EVERY_S = 0.15
NAMED = re.compile(r"functions\.\w+")
TREES = ("functions", "runtime", "jobs", "taptrade")


class Watch:
    """Files, and when they were last written; `changed` tells of those that are new, other or gone since."""

    def __init__(self, *, loaded_only: bool = False, functions: bool = True, also: Collection[Path] = ()) -> None:
        """`loaded_only` looks, outside of functions/, at the modules that this process has imported."""
        self._functions = functions
        self._also = also
        self._loaded_only = loaded_only
        self._folders = [folder_of(tree).resolve() for tree in TREES]
        self._seen = self._look()

    def changed(self) -> list[Path]:
        """Return the files that changed."""
        before, self._seen = self._seen, self._look()
        other = {file for file, at in self._seen.items() if before.get(file, at) != at}
        # What is imported later was not written later.
        new = {file for file in self._seen.keys() - before.keys() if self._is_function(file) or file in self._also}
        return sorted(other | new | (before.keys() - self._seen.keys()))

    def _look(self) -> dict[Path, int]:
        found: dict[Path, int] = {}
        for file in self._files():
            try:
                found[file] = file.stat().st_mtime_ns
            except FileNotFoundError:
                continue  # an editor is just writing it anew
        return found

    def _files(self) -> Iterable[Path]:
        functions = self._folders[0]
        if not self._loaded_only:
            return [*self._also, *(file for folder in self._folders for file in folder.rglob("*.py"))]
        loaded = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
        ours = (Path(file) for file in loaded if file is not None)
        rest = [file for file in ours if any(file.is_relative_to(folder) for folder in self._folders[1:])]
        return [*self._also, *(functions.glob("*.py") if self._functions else ()), *rest]

    def _is_function(self, file: Path) -> bool:
        return file.parent == self._folders[0]


def end_when_changed(*, functions: bool, also: Collection[Path] = ()) -> None:
    """End this process when a file changes that it has loaded, or one of the `functions`; it is then begun anew."""
    watch = Watch(loaded_only=True, functions=functions, also=also)

    def look() -> None:
        pause = threading.Event()
        while not pause.wait(LOOK_EVERY_S):
            if watch.changed():
                os.kill(os.getpid(), signal.SIGTERM)
                return

    # What was compiled within the second of an edit would look as if it were of the file as it is.
    sys.dont_write_bytecode = True
    threading.Thread(target=look, name="reload", daemon=True).start()


def forget(changed: Collection[Path]) -> None:
    """Let these files be imported anew, and what has imported one of them."""
    names = {name for name, file in _imported() if file in changed}
    texts = ((name, file) for name, file in _imported() if file.parent == functions_folder().resolve())
    users = {name for name, file in texts if names & set(NAMED.findall(file.read_text(encoding="utf-8")))}
    for name in names | users:
        del sys.modules[name]
    importlib.invalidate_caches()


def _imported() -> list[tuple[str, Path]]:
    files = ((name, getattr(module, "__file__", None)) for name, module in list(sys.modules.items()))
    return [(name, Path(file)) for name, file in files if file is not None and Path(file).exists()]
