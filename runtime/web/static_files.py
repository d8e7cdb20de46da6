"""Files of a folder as answers: read into memory and packed when they are first asked for, and again when changed.

A name is of plain parts, and its file stands where the name says, so that no address leads out of the folder.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import falcon

from runtime.web.declaration import Reply

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""The media types that are served; a file of another kind is not."""
PACKED = frozenset({".css", ".html", ".js", ".json", ".svg", ".webmanifest"})
PACKED_BYTES_MIN = 256
"""nginx/nginx.conf has the same."""
NAME_CHARACTERS_MAX = 100
_NAME = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it was when it was read."""

    path: Path
    changed_ns: int
    media_type: str
    etag: str
    body: bytes
    packed: bytes | None

    @classmethod
    def read(cls, path: Path) -> StaticFile:
        """Read a file, and pack it where that makes it shorter."""
        changed_ns, body = path.stat().st_mtime_ns, path.read_bytes()
        # Weak: the packed bytes and the plain ones have the same name.
        etag = f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'
        is_packed = path.suffix in PACKED and len(body) >= PACKED_BYTES_MIN
        packed = gzip.compress(body, mtime=0) if is_packed else None
        return cls(path, changed_ns, TYPES[path.suffix], etag, body, packed)

    @property
    def is_current(self) -> bool:
        """Whether the file is still there as it was read."""
        try:
            return self.path.stat().st_mtime_ns == self.changed_ns
        except OSError:
            return False


class StaticFiles:
    """The files of a folder and of those in it, by their paths in it."""

    def __init__(self, folder: Path, headers: Mapping[str, str]) -> None:
        """`headers` go with every answer."""
        self._folder = folder.resolve()
        self._headers = headers
        self._files: dict[str, StaticFile] = {}

    def find(self, name: str) -> StaticFile | None:
        """Return a file; whoever edits one sees it at the next request, without a restart."""
        found = self._files.get(name)
        if found is None or not found.is_current:
            found = self._read(name)
        return found

    def answer(self, file: StaticFile, req: falcon.Request) -> Reply:
        """Return the file as a client wants it: packed, plain, or not at all because it has it."""
        headers = {"ETag": file.etag, "Cache-Control": "no-cache", **self._headers}
        if file.packed is not None:
            headers["Vary"] = "Accept-Encoding"
        if _has(req, file.etag):
            return Reply(None, status=304, headers=headers)
        body = file.body
        if file.packed is not None and takes_gzip(req.get_header("Accept-Encoding") or ""):
            headers["Content-Encoding"] = "gzip"
            body = file.packed
        return Reply(body, content_type=file.media_type, headers=headers)

    def _read(self, name: str) -> StaticFile | None:
        self._files.pop(name, None)
        path = self._folder / name
        if len(name) > NAME_CHARACTERS_MAX or _NAME.fullmatch(name) is None or path.suffix not in TYPES:
            return None
        if path.resolve() != path or not path.is_file():  # a link may lead anywhere
            return None
        file = self._files[name] = StaticFile.read(path)
        return file


def takes_gzip(accept_encoding: str) -> bool:
    """Tell whether an Accept-Encoding field lets an answer be packed with gzip (RFC 9110, 12.5.3)."""
    weights: dict[str, float] = {}
    for one in accept_encoding.lower().split(","):
        name, _, parameter = one.partition(";")
        weights[name.strip()] = _weight(parameter)
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def _has(req: falcon.Request, etag: str) -> bool:
    """Tell whether the client says that it has this very content."""
    given = req.get_header("If-None-Match") or ""
    return given.strip() == "*" or etag.removeprefix("W/") in (
        one.strip().removeprefix("W/") for one in given.split(",")
    )
