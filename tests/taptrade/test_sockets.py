"""Where sockets are: in the data folder where its path will do, else in a folder that nobody else reaches into."""

from __future__ import annotations

import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.settings import SettingsError
from taptrade import sockets

ODD = ("my games", "[1]", "a #1", "a;b", "a:b", "50%", "$x", "a\\b", 'so "called"', "it's", "größe", "d" * 200)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a temporary folder of the test's own, with a path as short as that of the machine's."""
    assert tmp_path.is_dir(), "pytest makes its own before ours takes its place"
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def run_folder(data: Path) -> Path:
    (data / "run").mkdir(parents=True)
    return data / "run"


def test_a_plain_folder_holds_its_sockets_itself(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "data")
    assert sockets.make_folder(run) == run
    sockets.remove_folder(run)
    assert run.is_dir()


@pytest.mark.parametrize("name", ODD)
def test_any_other_has_a_private_one_that_stays_the_same(tmp_path: Path, temporary: Path, name: str) -> None:
    run, copy = run_folder(tmp_path / name), run_folder(tmp_path / (name + "2"))
    folder = sockets.make_folder(run)
    assert folder.parent == temporary
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sockets.make_folder(run) == sockets.folder_of(run) == folder
    assert sockets.folder_of(copy) != folder, "a copy of a data folder is another run's"
    sockets.remove_folder(run)
    assert not folder.exists()


def test_what_still_lies_in_a_private_folder_is_left(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "my games")
    file = sockets.make_folder(run) / sockets.REDIS
    file.touch()
    sockets.remove_folder(run)
    assert file.exists()


def test_a_link_is_judged_by_its_own_path(tmp_path: Path) -> None:
    real = run_folder(tmp_path / "my games")
    (tmp_path / "link").symlink_to(real.parent)
    assert sockets.folder_of(tmp_path / "link" / "run") == tmp_path / "link" / "run"


def test_the_longest_plain_path_can_be_bound_by_supervisord(tmp_path: Path) -> None:
    room = sockets.PATH_BYTES_MAX - len(f"{tmp_path}//run/{sockets.CONTROL}")
    longest, longer = run_folder(tmp_path / ("a" * room)), run_folder(tmp_path / ("a" * (room + 1)))
    assert sockets.folder_of(longest) == longest
    assert sockets.folder_of(longer) != longer
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{longest / sockets.CONTROL}.4194304")


def test_an_odd_temporary_folder_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "my tmp"))
    assert sockets.folder_of(run_folder(tmp_path / "my games")).parent == Path("/tmp")


@pytest.mark.parametrize("made_by_another", ["writable", "link", "file"])
def test_a_folder_that_others_reach_into_is_refused(tmp_path: Path, made_by_another: str) -> None:
    run = run_folder(tmp_path / "my games")
    folder = sockets.folder_of(run)
    if made_by_another == "writable":
        folder.mkdir()
        folder.chmod(0o777)
    elif made_by_another == "link":
        folder.symlink_to(tmp_path)
    else:
        folder.touch()
    with pytest.raises(SettingsError, match="set TAPTRADE_DATA to a short path without blanks"):
        sockets.make_folder(run)
