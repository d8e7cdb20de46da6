"""Workers of other functions take over: no connection is closed, and what cannot begin leaves the others at work."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from runtime import more_shards
from runtime.function_versions import announced, set_of
from taptrade.function_sets import point, pointer_to
from tests.function_settings import outside
from tests.runtime.server.rig import PATIENCE_S, ROOT, get, post, read_body, read_until
from tests.waiting import wait_until

CONNECTIONS = 400
"""More than the kernel holds on their way at once."""


class Api:
    """A master with the functions that the test writes."""

    def __init__(self, data: Path, workers: int) -> None:
        self.data = data
        self.log = data / "api.log"
        (data / "run").mkdir(parents=True)
        self.make(1, "WORD = 'one'\n")
        point(data, pointer_to(1, 0))
        rest = outside()
        own = {"TAPTRADE_DATA": str(data), "TAPTRADE_API_WORKERS": str(workers), "PYTHONPATH": str(ROOT)}
        config = ("--config", "python:taptrade.gunicorn_settings", "--bind", "127.0.0.1:0")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "taptrade.api_master", *config, "tests.taptrade.which:app"],
                cwd=ROOT,
                env={**rest, **own},
                stdout=log,
                stderr=log,
            )
        found = wait_until(lambda: re.search(r"Listening at: http://[\d.]+:(\d+)", self.text), PATIENCE_S)
        assert found is not None
        self.port = int(found[1])
        wait_until(lambda: self.versions() == [1] * workers, PATIENCE_S, what=f"{workers} workers; see {self.log}")

    @property
    def text(self) -> str:
        """What the master and its workers have said."""
        return self.log.read_text()

    def make(self, version: int, source: str) -> None:
        """Write the functions of a version."""
        folder = set_of(self.data, version)
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "which.py").write_text(source)

    def versions(self) -> list[int]:
        """Return what the workers say that they serve."""
        return [one.version for one in announced(self.data)]

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)


@contextmanager
def running(data: Path, workers: int = 1) -> Iterator[Api]:
    """Run a master until the end of the block; it must then stop cleanly."""
    api = Api(data, workers)
    try:
        yield api
    finally:
        api.process.send_signal(signal.SIGTERM)
        status = api.process.wait(PATIENCE_S)
    assert status == 0, api.text


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """Return a master with two workers."""
    with running(tmp_path / "data", workers=2) as api:
        yield api


def ask(client: socket.socket) -> str:
    """Ask on a connection that is kept, and return the word."""
    client.sendall(get("/"))
    return read_body(client).split()[0].decode()


def test_connections_go_over_to_the_workers_that_take_over(api: Api, tmp_path: Path) -> None:
    with ExitStack() as stack:
        _go_over(api, [stack.enter_context(api.connect()) for _ in range(CONNECTIONS)], tmp_path / "go_on")


def _go_over(api: Api, clients: list[socket.socket], go_on: Path) -> None:
    new, half, busy, stream, *idle = clients
    assert {ask(client) for client in idle} == {"one"}
    busy.sendall(get(f"/wait?{go_on}") + get("/"))
    stream.sendall(get("/events"))
    read_until(stream, b"data: one")
    wait_until(go_on.with_suffix(".begun").exists, what="the request that takes long")
    # The head of a request is here, and its body comes when others have taken over.
    half.sendall(post("/", b"whole")[:-3])
    api.make(2, "WORD = 'two'\n")
    point(api.data, pointer_to(2, 0))
    read_until(stream, b"\r\n0\r\n\r\n")
    kept = (*idle, new)
    wait_until(lambda: {ask(client) for client in kept} == {"two"}, PATIENCE_S, what="answers of the new version")
    half.sendall(b"ole")
    assert read_body(half).endswith(b" whole")
    go_on.touch()
    # What was under way is answered where it was begun, and what came behind it on the same connection is not lost.
    assert re.findall(rb"(one|two) ", read_until(busy, b"two ")) == [b"one", b"two"]
    wait_until(lambda: api.versions() == [2, 2], PATIENCE_S, what="the end of the old workers")


def test_a_worker_that_cannot_begin_leaves_the_others_at_work(api: Api) -> None:
    api.make(2, "raise SystemExit(4)\n")
    with api.connect() as client:
        assert ask(client) == "one"
        point(api.data, pointer_to(2, 0))
        wait_until(lambda: "cannot begin, the others go on" in api.text, PATIENCE_S)
        assert ask(client) == "one"
        point(api.data, pointer_to(1, 0))
        wait_until(lambda: "version 1 take over" in api.text, PATIENCE_S)
        assert ask(client) == "one"
    assert api.versions() == [1, 1]


def test_a_worker_that_is_killed_comes_back_with_what_is_in_service(api: Api) -> None:
    [first, _] = announced(api.data)
    os.kill(first.pid, signal.SIGKILL)
    wait_until(lambda: api.versions() == [1, 1] and first not in announced(api.data), PATIENCE_S, what="another worker")


def test_workers_begin_anew_one_after_another_once_the_house_has_more_shards(api: Api) -> None:
    before = {one.pid for one in announced(api.data)}
    with api.connect() as client:
        assert ask(client) == "one"
        more_shards.note(api.data, 2)
        wait_until(
            lambda: len(announced(api.data)) == 2 and not before & {one.pid for one in announced(api.data)},
            PATIENCE_S,
            what="two workers that know all shards",
        )
        assert ask(client) == "one"
        assert "the house has 2 shards by now" in api.text
