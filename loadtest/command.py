"""What the long measurements share: a folder for their files, their section of the document, their exit code."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from loadtest.bench.children import BenchFailed
from loadtest.bench.display import Display
from loadtest.bench.edge import find_nginx
from loadtest.bench.report import put_between

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
DOCUMENT = ROOT / "docs" / "performance.md"


@contextmanager
def workplace(name: str, display: Display, *, kept_on_failure: bool = True) -> Iterator[Path]:
    """Make a folder for the length of the block, on the project's disk; when the block fails it may stay."""
    BUILD.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=BUILD))
    try:
        yield folder
    except BaseException:
        if kept_on_failure:
            display.say(f"logs and data are left in {folder}")
        else:
            shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


def nginx_or_fail() -> str:
    """Return nginx's path: what players meet is measured, or nothing."""
    nginx = find_nginx()
    if nginx is None:
        raise BenchFailed("nginx is not installed (apt-get install nginx)")
    return nginx


def leave_json(name: str, figures: msgspec.Struct) -> None:
    """Write the figures to build/NAME.json."""
    (BUILD / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(figures)) + b"\n")


def publish(name: str, block: str, display: Display, *, renew: bool = True, document: Path = DOCUMENT) -> None:
    """Print a section and, if it says enough to be kept, put it between its markers in the document."""
    display.say("\n" + block)
    if not renew:
        display.say(f"\ntoo short a run for {document.name}, which stays as it is")
        return
    text = document.read_text(encoding="utf-8")
    document.write_text(put_between(text, name, block), encoding="utf-8")


def run(name: str, main: Callable[[Sequence[str]], int]) -> None:
    """Run a command; 2 says that nothing could be measured."""
    # Whatever tells us to stop, what we started is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(f"{name}: told to stop"))
    try:
        sys.exit(main(sys.argv[1:]))
    except BenchFailed as ex:
        sys.stderr.write(f"{name}: {ex}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(f"{name}: stopped")
