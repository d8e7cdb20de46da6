"""Versions of the functions: a checked copy, the pointer, the way back, and what is refused without a change."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runtime.function_files import functions_folder
from runtime.function_versions import OWN, Pointer, folder_of_sets, in_service, pointer, set_of
from runtime.process_lock import LockHeld
from taptrade import deploy, function_sets
from taptrade.deploy import NotDeployed
from taptrade.function_sets import KEPT, keep_own, point, sole_deployment, versions
from tests.function_settings import FILE, VARIABLE

HELLO = '''"""GET /api/hello: say a word."""

from runtime.function import Call, FunctionSettings, Reply, Secret, function


class Own(FunctionSettings, frozen=True):
    """What it needs."""

    key: Secret


@function("GET", "/api/hello", auth="none", summary="Say a word", response=str, settings=Own)
def hello(call: Call[None]) -> Reply:
    """Say it."""
    return Reply(call.own_settings(Own).key.reveal())
'''


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the data folder that commands use."""
    monkeypatch.setenv("TAPTRADE_DATA", str(tmp_path / "data"))
    monkeypatch.delenv(VARIABLE)
    return tmp_path / "data"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a folder with a copy of all functions."""
    return Path(shutil.copytree(functions_folder(), tmp_path / "changed"))


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return what reads the answer of a command that was asked for JSON."""
    return lambda: msgspec.json.decode(capsys.readouterr().out)


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every set pass: the check has tests of its own."""
    monkeypatch.setattr(deploy, "require_functions", lambda _: None)


@pytest.mark.integration
def test_what_is_broken_is_named_where_it_was_written_and_nothing_changes(data: Path, source: Path) -> None:
    file, given = source / "hello.py", data / "function_settings.toml"
    data.mkdir()
    given.touch(0o600)
    given.write_bytes(FILE.read_bytes())
    file.write_text(HELLO)
    with pytest.raises(NotDeployed) as refused:
        deploy.deploy([str(source)])
    assert str(refused.value) == (
        f"{file}: hello lacks its setting `key`: see [hello] in {data}/function_settings.toml; nothing was changed"
    )
    given.write_text(f"{given.read_text()}\n[hello]\nkey = 'k'\n")
    file.write_text(HELLO + "def f()\n")
    with pytest.raises(NotDeployed, match=f"^{file}: syntax error in line 16: expected ':'; nothing was changed$"):
        deploy.deploy([str(source)])
    assert (versions(data), in_service(data)) == ([], OWN)
    file.write_text(HELLO)
    assert deploy.deploy([str(source), "--json"]) == 0
    assert in_service(data) == 1
    assert [path.name for path in folder_of_sets(data).iterdir() if path.name.isdecimal()] == ["1"]


@pytest.mark.usefixtures("unchecked")
def test_a_version_is_a_copy_that_nothing_changes(data: Path, source: Path, said: Any) -> None:
    (source / ".swp").touch()
    deploy.deploy([str(source), "--note", "the first", "--json"])
    became = said()
    assert became.pop("seconds") >= 0
    assert became == {
        "ok": True,
        "version": 1,
        "before": OWN,
        "processes": {},
        "without": [],
        "detail": "version 1 is served from the next start on",
    }
    (source / "time.py").unlink()
    copy = set_of(data, 1)
    assert (copy / "time.py").read_bytes() == (functions_folder() / "time.py").read_bytes()
    assert not (copy / ".swp").exists()
    assert {path.stat().st_mode & 0o222 for path in copy.rglob("*") if path.is_file()} == {0}
    deploy.list_versions(["--json"])
    own, first = said()
    assert (own["version"], own["state"]) == (OWN, "")
    assert (first["version"], first["state"], first["note"], first["source"]) == (
        1,
        "in service",
        "the first",
        str(source),
    )


@pytest.mark.usefixtures("unchecked")
def test_a_deployment_says_what_is_served_no_more(data: Path, source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (source / "time.py").unlink()
    (source / "hello.py").touch()
    deploy.deploy([str(source)])
    assert capsys.readouterr().out.startswith("version 1 is served from the next start on; no more: time.py (")
    assert in_service(data) == 1
    deploy.rollback(["0"])
    assert "; no more: hello.py (" in capsys.readouterr().out


@pytest.mark.usefixtures("unchecked")
def test_the_way_back_leads_to_what_a_start_has_found(data: Path, source: Path) -> None:
    assert [keep_own(data, 0) for _ in range(2)] == [1, 1]
    for _ in range(2):
        deploy.deploy([str(source)])
    went = []
    while in_service(data) != OWN:
        went.append(in_service(data))
        deploy.rollback([] if in_service(data) != 1 else ["0"])
    assert went == [3, 2, 1]
    with pytest.raises(NotDeployed, match="version 0 is in service already"):
        deploy.rollback(["0"])
    with pytest.raises(function_sets.NoSuchVersion, match="nothing was before them"):
        deploy.rollback([])


@pytest.mark.usefixtures("unchecked")
def test_only_the_newest_versions_are_kept(data: Path, source: Path) -> None:
    for _ in range(KEPT + 3):
        deploy.deploy([str(source)])
    assert [one.version for one in versions(data)] == list(range(4, KEPT + 4))
    deploy.rollback(["4"])
    deploy.deploy([str(source)])
    assert [one.version for one in versions(data)] == [4, *range(5, KEPT + 5)], "the way back is kept"


@pytest.mark.usefixtures("unchecked")
def test_what_does_not_come_up_in_time_is_taken_back(
    data: Path, source: Path, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy.deploy([str(source)])
    stood = pointer(data)
    monkeypatch.setattr(deploy, "_wait", lambda _data, number, _at_work, _within_s: number == 1)
    said_before = deploy.deploy([str(source), "--within", "0"])
    assert said_before == deploy.TAKEN_BACK
    assert pointer(data) == stood
    assert [(one.version, one.failed) for one in versions(data)] == [(1, False), (2, True)]


@pytest.mark.usefixtures("unchecked")
def test_one_deployment_at_a_time(data: Path, source: Path) -> None:
    with sole_deployment(data), pytest.raises(LockHeld, match="another deployment is under way"):
        deploy.deploy([str(source)])
    assert versions(data) == []


def test_a_house_of_another_build_serves_its_own_functions(data: Path) -> None:
    folder_of_sets(data).mkdir(parents=True)
    point(data, Pointer(5, "another", 0))
    assert in_service(data) == OWN
