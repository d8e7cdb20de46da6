"""Functions are deployed and taken back while requests and a stream go on: none is lost, and none is mixed up after."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event as Flag
from threading import Lock, Thread
from typing import Any

import httpx
import msgspec
import pytest

from runtime.clock import SystemClock
from runtime.function_files import functions_folder
from runtime.messaging.bus import public_between
from taptrade.client.stream import EventStream
from taptrade.wallet import new_wallet, sign_login
from tests.acceptance.system import STEADY, System
from tests.waiting import wait_until

KEPT_ALIVE, ANEW = 4, 2
"""Clients that keep their connection, and those that open one for each request."""
BEATS = "test:beats"

WORD = '''"""GET /api/word, POST /api/word, and a beat: each says the version that it is of."""

import msgspec

from runtime.function import Body, Call, FunctionSettings, function
from runtime.triggers import Run, every


class Said(Body, frozen=True):
    """What is sent."""

    number: int


class Own(FunctionSettings, frozen=True):
    """What it needs."""

    ending: str


class Word(msgspec.Struct):
    """What is answered."""

    word: str


@function("GET", "/api/word", auth="none", summary="Say a word", response=Word, settings=Own)
def word(call: Call[None]) -> Word:
    """Say it."""
    return Word("WORD" + call.own_settings(Own).ending)


@function("POST", "/api/word", auth="none", summary="Say a word", body=Said, response=Word)
def answer(call: Call[Said]) -> Word:
    """Say it, and the number."""
    return Word(f"WORD {call.body.number}")


@every("1 s")
def BEAT(run: Run[None]) -> None:
    """Leave the word."""
    run.redis.rpush("test:beats", "WORD")
'''


@dataclass
class Load:
    """Requests that go on, and what became of them."""

    url: str
    stop: Flag = field(default_factory=Flag)
    lock: Lock = field(default_factory=Lock)
    answers: list[tuple[float, float, str]] = field(default_factory=list)
    """When each was asked and answered, and the word."""
    wrong: list[str] = field(default_factory=list)

    def keep_asking(self, *, anew: bool) -> None:
        """Ask one request after the other."""
        with httpx.Client(base_url=self.url, trust_env=False, timeout=20) as client:
            number = 0
            while not self.stop.wait(0.02):
                number += 1
                self._ask(client, number, {"Connection": "close"} if anew else {})

    def _ask(self, client: httpx.Client, number: int, headers: dict[str, str]) -> None:
        asked_s = time.monotonic()
        try:
            if number % 2:
                answer = client.get("/api/word", headers=headers)
            else:
                answer = client.post("/api/word", json={"number": number}, headers=headers)
        except httpx.TransportError as ex:
            with self.lock:
                self.wrong.append(repr(ex))
            return
        right = re.fullmatch(r'{"word":"(one|two)(!| \d+)"}', answer.text) if answer.status_code == 200 else None
        with self.lock:
            if right is None or (not number % 2 and right[2] != f" {number}"):
                self.wrong.append(f"{answer.status_code} {answer.text}")
            else:
                self.answers.append((asked_s, time.monotonic(), right[1]))

    def words(self, since_s: float, until_s: float = float("inf")) -> set[str]:
        """Return what was answered to requests that were asked and answered within a span."""
        with self.lock:
            return {word for asked_s, at_s, word in self.answers if asked_s >= since_s and at_s <= until_s}


@contextmanager
def under_load(system: System) -> Iterator[tuple[Load, list[str]]]:
    """Ask and follow the stream within the block; yield the load and the ids of the events that were heard."""
    load, heard = Load(system.url), list[str]()
    client = system.client()
    client.login(sign_login(new_wallet(), None, system.audience, SystemClock().now_ms()))

    def follow() -> None:
        stream = EventStream(f"{system.url}/api/stream", token=lambda: client.token, stop=load.stop)
        for event in stream.events():
            if event.type in ("touched", "reset"):
                heard.append(msgspec.json.decode(event.data).get("event_id", event.type))

    threads = [
        Thread(target=load.keep_asking, kwargs={"anew": number >= KEPT_ALIVE}) for number in range(KEPT_ALIVE + ANEW)
    ]
    threads.append(Thread(target=follow))
    for thread in threads:
        thread.start()
    try:
        yield load, heard
    finally:
        load.stop.set()
        for thread in threads:
            thread.join(30)
        client.close()


class Workshop:
    """A folder of functions that is changed, and the commands that put it into service."""

    def __init__(self, system: System, folder: Path) -> None:
        self.system = system
        self.folder = Path(shutil.copytree(functions_folder(), folder))

    def write(self, word: str, beat: str) -> None:
        """Let the functions say a word."""
        text = WORD.replace("WORD", word).replace("BEAT", beat)
        (self.folder / "word.py").write_text(text)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of this house."""
        asked = [sys.executable, "-m", "taptrade", *words]
        return subprocess.run(
            asked, env=self.system.variables, capture_output=True, text=True, timeout=120, check=False
        )

    def done(self, *words: str) -> Any:
        """Run a command that must succeed; return what it says."""
        done = self.command(*words, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return msgspec.json.decode(done.stdout)

    def beats(self) -> set[bytes]:
        """Return the words of the beats since the last look."""
        with self.system.redis() as client:
            found: Any = client.lrange(BEATS, 0, -1)
            client.delete(BEATS)
        return set(found)


def _given(data: Path, ending: str) -> None:
    file = data / "function_settings.toml"
    file.touch(0o600)
    file.write_text(f"['word.word']\nending = '{ending}'\n")


@pytest.mark.timeout(240)
def test_functions_are_deployed_and_taken_back_under_load(tmp_path: Path) -> None:
    own = str(tmp_path / "data" / "function_settings.toml")
    system = System(tmp_path / "data", api_workers="2", function_settings=own, **STEADY)
    shop = Workshop(system, tmp_path / "changed")
    shop.write("one", "beat")
    lacking = shop.command("deploy", str(shop.folder))
    assert (lacking.returncode, "word.word lacks its setting `ending`" in lacking.stderr) == (2, True)
    _given(system.data, "!")
    assert shop.done("deploy", str(shop.folder))["detail"] == "version 1 is served from the next start on"
    with system:
        with under_load(system) as (load, heard):
            wait_until(lambda: len(load.answers) > 100 or load.wrong, what="answers")
            began_s = time.monotonic()
            shop.write("two", "pulse")
            told = shop.done("deploy", str(shop.folder), "--note", "the second")
            two_s = time.monotonic()
            assert (told["version"], told["before"]) == (3, 1)
            assert told["processes"] == {"api": 2, "functions": 1, "scheduler": 1}
            shop.beats()
            assert wait_until(shop.beats) == {b"two"}
            _refused(shop)
            _killed(shop)
            until_s = time.monotonic()
            assert shop.done("rollback")["version"] == 1
            one_s = time.monotonic()
            shop.beats()
            assert wait_until(shop.beats) == {b"one"}
            asked = len(load.answers)
            wait_until(lambda: len(load.answers) > asked + 100, what="answers of the version before")
        with system.redis() as client:
            entries = public_between(client, heard[0], heard[-1])
            told_of = [heard[0], *(entry.id for entry in entries if entry.type == "touched")]
        system.kill("api")
        wait_until(lambda: _complete(shop) is not None, 30, what="the API, with what is in service")
        assert httpx.get(f"{system.url}/version", trust_env=False).json()["functions"] == 1
        assert load.wrong == []
        assert load.words(0, began_s) == {"one"}
        assert load.words(two_s, until_s) == {"two"}, "after it was told done, no old answer comes"
        assert load.words(one_s) == {"one"}
        assert heard == told_of, "the stream goes on where it was, without a gap"


def _refused(shop: Workshop) -> None:
    before = shop.done("versions")
    file = shop.folder / "word.py"
    whole = file.read_text()
    file.write_text(whole + "\n\nimport nowhere\n")
    refused = shop.command("deploy", str(shop.folder))
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"taptrade: {file}: line {whole.count(chr(10)) + 3}: ModuleNotFoundError")
    assert shop.done("versions") == before
    file.write_text(whole)


def _killed(shop: Workshop) -> None:
    """End what runs functions that no request starts: it comes back with what is in service."""
    for name in ("functions", "scheduler"):
        before = shop.system.kill(name)
        wait_until(partial(_is_another, shop.system, name, before), what=name)
    serving = wait_until(lambda: _complete(shop), what="all processes of the version in service")
    assert serving == {"api": 2, "functions": 1, "scheduler": 1}


def _is_another(system: System, name: str, before: int) -> bool:
    return system.pid_of(name) not in (0, before)


def _complete(shop: Workshop) -> dict[str, int] | None:
    [serving] = [one["served_by"] for one in shop.done("versions") if one["state"] == "in service"]
    return serving if len(serving) == 3 else None
